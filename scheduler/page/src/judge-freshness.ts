/** Two ticks may go missing before the page stops claiming to be live. */
const TICKS_MISSED = 3;
const LEAST_SECONDS = 8;

/** Epoch milliseconds each. */
export interface Heard {
  /** Of the last word from the scheduler; null before the first. */
  readonly heardAt: number | null;
  /** Of the last reading of all that is shown; null before the first. Events may come while readings do not. */
  readonly readAt: number | null;
  /** Of when the page was last brought into view: it does not listen while it is hidden. */
  readonly shownAt: number;
}

export interface Freshness {
  readonly connection: "connecting" | "live" | "stale";
  /** Of the oldest part of what is shown; null while some part has never been heard. */
  readonly ageSeconds: number | null;
  /** Whether at least events come. */
  readonly isHeard: boolean;
}

/** How far what the page shows is how the fleet is now. `now` in epoch seconds. */
export function judgeFreshness({ heardAt, readAt, shownAt }: Heard, tickSeconds: number, now: number): Freshness {
  const patience = Math.max(LEAST_SECONDS, TICKS_MISSED * tickSeconds);
  const age = (at: number) => Math.max(0, now - at / 1000);
  const isHeard = heardAt !== null && age(heardAt) <= patience;
  if (heardAt === null || readAt === null) return { connection: "connecting", ageSeconds: null, isHeard };
  const ageSeconds = age(Math.min(heardAt, readAt));
  if (ageSeconds <= patience) return { connection: "live", ageSeconds, isHeard };
  return { connection: age(shownAt) <= patience ? "connecting" : "stale", ageSeconds, isHeard };
}
