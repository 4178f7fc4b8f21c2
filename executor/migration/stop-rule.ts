import { ROUNDS_MOST } from "../peer/protocol.js";

export interface StopRuleFacts {
  /** 1 = the first, which held all of the memory. */
  readonly round: number;
  readonly bytes: number;
  /** From the beginning of its dump to the last byte at the destination. */
  readonly seconds: number;
  /** The round before; null after the first. */
  readonly previous: { readonly bytes: number; readonly seconds: number } | null;
  readonly linkBytesPerSecond: number;
  /** What the last memory may take of the blackout. */
  readonly blackoutBudgetSeconds: number;
  /** What the destination still has for images. */
  readonly roomBytes: number;
}

export interface NextStep {
  readonly go: "round" | "freeze";
  readonly why: string;
}

/** A round that is not at least a quarter smaller than the one before buys less than it costs. */
export const SHRINK_LEAST = 0.75;
/** Below this the freeze consists of what it costs whatever the memory: 4 MiB cross 1 Gbit/s in 34 ms. */
export const SMALL_BYTES = 4 << 20;
/** Before the second round nobody knows how fast the workload writes: half of its memory meanwhile is much. */
export const UNKNOWN_SHARE = 0.5;

/** Whether another round would make the freeze shorter, or the workload had better be frozen now. */
export function nextStep(facts: StopRuleFacts): NextStep {
  const { round, bytes, previous, linkBytesPerSecond, blackoutBudgetSeconds, roomBytes } = facts;
  const freeze = (why: string): NextStep => ({ go: "freeze", why });
  const expected = expectedBytes(facts);
  if (bytes <= SMALL_BYTES) return freeze(`round ${round} was small`);
  if (previous !== null && expected <= blackoutBudgetSeconds * linkBytesPerSecond) {
    return freeze(`what is left crosses within the budget of ${blackoutBudgetSeconds} s`);
  }
  if (round >= ROUNDS_MOST) return freeze(`${ROUNDS_MOST} rounds are enough`);
  if (previous !== null && bytes > SHRINK_LEAST * previous.bytes) return freeze(`round ${round} was hardly smaller than the one before`);
  if (expected > roomBytes) return freeze("the destination has no room for the images of another round");
  return { go: "round", why: previous === null ? "how fast it writes is not known yet" : `round ${round + 1} will be smaller` };
}

/** Bytes of the next dump if the workload goes on writing as it does: what it wrote a second, for as long as this round took. */
function expectedBytes({ bytes, seconds, previous }: StopRuleFacts): number {
  return previous === null ? UNKNOWN_SHARE * bytes : (bytes / previous.seconds) * seconds;
}

/**
 * Whether one round more is worth it after the destination has made ready, which takes its time while the workload goes on writing: only if that is
 * more than a small round, and neither rounds nor room are at their end.
 */
export function isWorthClosing(facts: Pick<StopRuleFacts, "round" | "bytes" | "previous" | "roomBytes">, readySeconds: number): boolean {
  const { round, bytes, previous, roomBytes } = facts;
  const writtenBytes = previous === null ? UNKNOWN_SHARE * bytes : (bytes / previous.seconds) * readySeconds;
  return round < ROUNDS_MOST && writtenBytes > SMALL_BYTES && writtenBytes <= roomBytes;
}
