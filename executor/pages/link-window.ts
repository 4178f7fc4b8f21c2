const LEAST_BYTES = 256 << 10;
const FIRST_BYTES = 1 << 20;
const MOST_BYTES = 8 << 20;
/** What a page that a thread waits for may have to queue behind. */
const QUEUE_SECONDS = 0.005;
const STEP_BYTES = 64 << 10;

/** How much may be asked for at once. */
export interface LinkWindow {
  bytes(): number;
  /** An answer took that long. */
  answered(seconds: number): void;
}

/**
 * Keeps a link busy and its queue short, as LEDBAT does (RFC 6817): the fastest answer shows how long the link itself takes, and what others take beyond
 * it, they have queued. Grows while that is little, shrinks when it is more.
 */
export function makeLinkWindow(): LinkWindow {
  let bytes = FIRST_BYTES;
  let fastest = Number.POSITIVE_INFINITY;
  return {
    bytes: () => bytes,
    answered(seconds) {
      fastest = Math.min(fastest, seconds);
      const share = Math.max(-1, (QUEUE_SECONDS - (seconds - fastest)) / QUEUE_SECONDS);
      bytes = Math.min(MOST_BYTES, Math.max(LEAST_BYTES, bytes + share * STEP_BYTES));
    },
  };
}
