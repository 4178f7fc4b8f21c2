import type { Fleet } from "../../../lab/fleet/fleet.js";
import { readMigration } from "../../../platform/migration-record.js";

const DEADLINE_SECONDS = 300;

/**
 * The moment at which a migration's record says that a stage begins, or `committed`, `aborted`, `closed`. To be made before the migration is:
 * it listens from the time this resolves. `reached` rejects when the migration has ended without it.
 */
export async function listenForStage(fleet: Fleet, stage: string): Promise<{ reached: Promise<void>; close(): void }> {
  const subscriber = fleet.redis.duplicate();
  subscriber.on("error", () => {});
  await subscriber.subscribe(fleet.keys.events);
  const seen: string[] = [];
  const reached = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`no migration came to "${stage}", only to ${seen.join(" ")}`)),
      DEADLINE_SECONDS * 1000,
    );
    subscriber.on("message", (_channel, text) => {
      const note = JSON.parse(text) as { kind?: string; id?: string; stage?: string };
      if (note.kind !== "migration" || note.stage === undefined) return;
      seen.push(note.stage);
      if (note.stage !== stage && note.stage !== "closed") return;
      clearTimeout(timer);
      if (note.stage === stage) resolve();
      else
        readMigration(fleet.redis, fleet.keys, note.id!).then((record) =>
          reject(new Error(`no "${stage}" before it ended: ${seen.join(" ")}; ${record?.errorMessage}`)),
        );
    });
  });
  reached.catch(() => {});
  return { reached, close: () => subscriber.disconnect() };
}
