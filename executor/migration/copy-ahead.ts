import { asEvenkeelError, EvenkeelError } from "../../platform/errors.js";
import { blockersAmong } from "../../platform/findings.js";
import type { RoundEntry } from "../../platform/migration-record.js";
import { monotonicSeconds } from "../channel/events.js";
import { packImages } from "../channel/image-stream.js";
import type { WorkloadDescription } from "../engine/engine.js";
import { forgetPages } from "../image-rounds.js";
import type { Preflight } from "../preflight/preflight.js";
import { enter, type Held, type Surroundings, sourceFolder } from "./migration.js";
import { outgoing } from "./outlet.js";
import { reserveRoom } from "./reserve.js";
import { isWorthClosing, nextStep } from "./stop-rule.js";
import { withRetries } from "./with-retries.js";

/** What the memory that is left may add to the freeze: about what the rest of a freeze takes on a quiet machine. */
const BLACKOUT_BUDGET_SECONDS = 0.1;

/** All of the memory once, and as much again for what is written meanwhile. The rule that ends the rounds keeps to it. */
const ROOM_FACTOR = 2;

/** Whose memory it is, and what its images may take. */
export type MemoryAhead = Pick<Preflight, "description" | "imageBytes">;

/**
 * Pre-copy: sends the memory of the running workload in rounds, each only what was written since the one before, until another one would not make
 * the freeze shorter. Images cross while CRIU writes them. Then the destination makes ready, and what was written meanwhile is sent in a last round where
 * that is much. Returns how many rounds there are; none where the destination has no room for them.
 */
export async function copyAhead(
  surroundings: Surroundings,
  held: Held,
  { description, imageBytes }: MemoryAhead,
  makeReady: () => Promise<void>,
): Promise<number> {
  const rounds: RoundEntry[] = [];
  const room = await bookRoom(surroundings, held, imageBytes);
  if (typeof room === "string") {
    await enter(surroundings, held, "precopy", { modeUsed: "stopcopy", modeBecause: `not precopy: ${room}` });
    await makeReady();
    return 0;
  }
  await enter(surroundings, held, "precopy", { rounds });
  let left = room.bytes;
  let linkBytesPerSecond = 0;
  let readySeconds: number | null = null;
  for (;;) {
    const round = rounds.length + 1;
    const { dirtyBytesPerSecond } = rounds.at(-2) ?? { dirtyBytesPerSecond: null };
    const dirty = dirtyBytesPerSecond === null ? {} : { dirtyBytesPerSecond };
    held.live.expect({ stage: "precopy", kind: "precopy", round, ...dirty, note: `memory, round ${round}` });
    const done = await makeRound(surroundings, held, description, round);
    const previous = rounds.at(-1) ?? null;
    // What this round found was written while the one before was made and sent, and the destination made ready.
    if (previous !== null) {
      rounds[rounds.length - 1] = { ...previous, dirtyBytesPerSecond: done.bytes / (previous.seconds + (readySeconds ?? 0)) };
    }
    rounds.push(done);
    left -= done.bytes;
    // A small round tells of its overhead, not of the link.
    linkBytesPerSecond = Math.max(linkBytesPerSecond, done.bytes / done.seconds);
    const step = nextStep({ ...done, previous, linkBytesPerSecond, blackoutBudgetSeconds: BLACKOUT_BUDGET_SECONDS, roomBytes: left });
    held.log.info({ ...done, ...step }, "round of pre-copy");
    // Also where a cancelled migration is noticed.
    await enter(surroundings, held, "precopy", { rounds });
    if (readySeconds !== null) return rounds.length;
    if (step.go === "round") continue;
    // Not before the rounds: the destination's Docker would hold the twin's lock for as long as they take.
    const began = monotonicSeconds();
    await makeReady();
    readySeconds = monotonicSeconds() - began;
    if (!isWorthClosing({ ...done, previous, roomBytes: left }, readySeconds)) return rounds.length;
  }
}

/** Room for the rounds on the destination, beside what was reserved for any move; a sentence where there is none. */
async function bookRoom(surroundings: Surroundings, held: Held, imageBytes: number): Promise<{ readonly bytes: number } | string> {
  const bytes = ROOM_FACTOR * imageBytes;
  try {
    await reserveRoom(surroundings, held, imageBytes + bytes);
  } catch (error) {
    if (error instanceof EvenkeelError && error.code === "RESERVATION_FAILED") return error.detail;
    throw error;
  }
  const [blocker] = blockersAmong((await held.peer.bookRoom(held.record.id, bytes)).findings);
  return blocker === undefined ? { bytes } : blocker.message;
}

async function makeRound(surroundings: Surroundings, held: Held, description: WorkloadDescription, round: number): Promise<RoundEntry> {
  const folder = sourceFolder(surroundings, held.record.id);
  const began = monotonicSeconds();
  const { imagesPath, done } = await surroundings.engine.preDump(description, folder, round);
  done.then(({ bytes }) => held.live.expectTotal(bytes)).catch(() => {});
  await withRetries(surroundings, held, async () => {
    const images = outgoing(surroundings, held, packImages(imagesPath, { whole: done }), { kind: "precopy", isFrozen: false });
    await held.peer.sendRound(held.record.id, round, images).catch(async (error: unknown) => {
      // A stream breaks off when its dump fails, and then the dump's own words are the reason.
      await done;
      throw asEvenkeelError(error);
    });
  });
  const { bytes, pausedSeconds } = await done;
  await forgetPages(`${folder}/images`, round);
  return { round, bytes, seconds: monotonicSeconds() - began, pausedSeconds, dirtyBytesPerSecond: null };
}
