import { nowSeconds } from "../../platform/clock.js";
import type { Closing, MigrationRecord, StageProgress } from "../../platform/migration-record.js";
import { bookSent } from "../channel/pace.js";
import type { Checkpoint, WorkloadDescription } from "../engine/engine.js";
import type { PageSourceOrders, PagesState } from "../pages/pages-protocol.js";
import { isPageSourceAlive, setPagePace, startPageSource } from "../pages/start-page-source.js";
import { type Held, reportProgress, type Surroundings, sourceFolder } from "./migration.js";

const LOOK_SECONDS = 0.5;
/** A process that was not found this many times in a row is gone: what follows from that cannot be taken back. */
const MISSED_MOST = 3;

/** What became of the memory of a copy that was committed. */
export type Following = "arrived" | "lost";

function progressOf({ doneBytes, totalBytes }: PagesState, seconds: number): StageProgress {
  const bytesPerSecond = doneBytes / Math.max(seconds, LOOK_SECONDS);
  const eta = bytesPerSecond === 0 ? {} : { etaSeconds: (totalBytes - doneBytes) / bytesPerSecond };
  return { doneBytes, totalBytes, bytesPerSecond, ...eta, note: "memory follows" };
}

/** What the process that gives memory away has to know. */
export function pageOrders({ pagesTls }: Surroundings, { record, peer }: Pick<Held, "record" | "peer">, port: number): PageSourceOrders {
  return { host: peer.host, port, node: record.to, migration: record.id, tls: pagesTls };
}

/** The cap is for all that leaves this node, and memory that follows leaves from processes of its own: each may have an equal part for every migration that is under way. */
export async function sharePace({ streams: { pace }, inHand, log }: Surroundings, folder: string): Promise<void> {
  await setPagePace(folder, pace === null ? null : pace.bytesPerSecond / Math.max(1, inHand.size)).catch((error: unknown) =>
    // No reason to leave a workload without its memory.
    log.debug({ folder, error: String(error) }, "pace not noted"),
  );
}

function countPages({ streams: { pace } }: Surroundings, bytes: Held["bytes"], doneBytes: number): void {
  const sent = doneBytes - (bytes["pages"] ?? 0);
  if (pace !== null && sent > 0) bookSent(pace, sent, performance.now() / 1000);
  bytes["pages"] = doneBytes;
}

/** How the record is closed then: the destination's copy counts either way. */
export function closingAfter(following: Following, record: MigrationRecord): Closing {
  if (following === "arrived") return { result: "succeeded" };
  return { result: "failed", errorCode: "PAGES_LOST", errorMessage: `${record.name} runs on ${record.to} without the memory it had` };
}

/** The same for a copy that came whole: it may have been started anew since, because Docker died before it had answered its start. */
export async function askWhetherLost(peer: Held["peer"], id: string): Promise<Following> {
  const status = await peer.status(id).catch(() => null);
  return status?.pages?.state === "lost" ? "lost" : "arrived";
}

/**
 * Waits until the committed copy has all of its memory, looks after the process that gives it away, and reports how far it is. A cut link only
 * makes it wait. `lost`: the memory is gone on either end, and the copy was started anew without it.
 */
export async function awaitPages(
  surroundings: Surroundings,
  held: Pick<Held, "record" | "peer" | "bytes" | "log">,
  left: { readonly description: WorkloadDescription; readonly checkpoint: Checkpoint | null },
): Promise<Following> {
  const { id } = held.record;
  const folder = sourceFolder(surroundings, id);
  const give = async (): Promise<Following> => {
    await held.peer.startAnew(id, { description: left.description });
    return "lost";
  };
  const began = nowSeconds();
  const memory = left.checkpoint?.memory;
  let missed = 0;
  for (;;) {
    // First of all: a look goes through all processes of this node, and the workload's first answers, elsewhere, need the source's processors too.
    await new Promise((resolve) => setTimeout(resolve, LOOK_SECONDS * 1000));
    missed = (await memory?.isFrozen()) ? 0 : missed + 1;
    const isHeld = missed < MISSED_MOST;
    const status = await held.peer.status(id).catch(() => null);
    if (status !== null) {
      const { state, pages } = status;
      if (pages !== null) countPages(surroundings, held.bytes, pages.doneBytes);
      if (state === "running" && (pages === null || pages.state === "done")) return "arrived";
      // The copy, or what it lacks, is gone.
      if (state === "unknown" || pages?.state === "lost" || !isHeld) return give();
      if (pages !== null) reportProgress(surroundings, held, "resume", progressOf(pages, nowSeconds() - began));
    }
    if (missed === 0) await sharePace(surroundings, folder);
    if (status?.pages?.state === "flowing" && missed === 0 && !(await isPageSourceAlive(folder))) {
      held.log.warn("giving the memory away again");
      startPageSource(folder, pageOrders(surroundings, held, status.pages.port)).begin(await memory!.pids());
    }
  }
}
