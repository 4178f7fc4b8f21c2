import type { Redis } from "ioredis";
import { nowSeconds } from "../../platform/clock.js";
import type { Keys } from "../../platform/keys.js";
import type { Logger } from "../../platform/log.js";
import { abortMigration, readMigration } from "../../platform/migration-record.js";
import type { Arrivals } from "./arrivals.js";
import type { Incoming } from "./incoming.js";

const TIDY_INTERVAL_SECONDS = 5;

interface Needs {
  readonly incoming: Incoming;
  readonly arrivals: Arrivals;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly log: Logger;
  readonly node: string;
}

/**
 * Settles the halves on this node that nobody works on. At the start that is all an earlier executor left: one that had not committed is given
 * up, one that had is brought to its end, since only this copy may run. Later it is what a source could not ask us to remove (its link was cut).
 */
export function tidyIncoming(needs: Needs): { stop(): void } {
  const { incoming, arrivals, log } = needs;
  /** Halves that an earlier executor may have left, and nobody has settled since. */
  let inherited: Set<string> | null = null;
  let hasStrays = true;
  let busy = false;
  const tidy = async () => {
    if (busy) return;
    busy = true;
    try {
      const known = await incoming.known();
      inherited ??= new Set(known);
      for (const id of known) {
        if (incoming.isBusy(id)) continue;
        await settleHalf(needs, id, inherited.has(id)).then(
          () => inherited!.delete(id),
          (error: unknown) => log.error({ migration: id, error: String(error) }, "arrival not settled"),
        );
      }
      if (hasStrays) {
        await incoming.removeStrays();
        hasStrays = false;
      }
      for (const id of await arrivals.ids()) {
        if (!incoming.isBusy(id))
          await incoming
            .startLost(id)
            .catch((error: unknown) => log.error({ migration: id, error: String(error) }, "lost copy not started"));
      }
    } finally {
      busy = false;
    }
  };
  const run = () => void tidy().catch((error: unknown) => log.warn({ error: String(error) }, "could not tidy"));
  const timer = setInterval(run, TIDY_INTERVAL_SECONDS * 1000);
  run();
  return { stop: () => clearInterval(timer) };
}

async function settleHalf({ incoming, arrivals, redis, keys, log, node }: Needs, id: string, afterRestart: boolean): Promise<void> {
  if (afterRestart) await abortMigration(redis, keys, id, nowSeconds(), `the executor of ${node} stopped`);
  const record = await readMigration(redis, keys, id);
  if (record === null && (await incoming.status(id)).state === "running") {
    // It was closed so long ago that nobody remembers: the copy is the one that counts.
    await incoming.finish(id);
  } else if (record === null || record.outcome === "aborted") {
    log.warn({ migration: id }, "removing what a migration that ended elsewhere left here");
    await incoming.remove(id);
  } else if (record.outcome === "committed") {
    await incoming.resume(id);
    if (record.closedAt === null) return;
    const { state, pages } = await incoming.status(id);
    const arrival = await arrivals.read(id);
    // Its source is gone for good, and was forgotten: no more of its memory will come.
    const isLacking = state === "running" && pages !== null && pages.state !== "done" && pages.state !== "lost";
    if (isLacking && arrival === null) return;
    if (isLacking) await incoming.startAnew(id, arrival!.description);
    await incoming.finish(id);
  }
}
