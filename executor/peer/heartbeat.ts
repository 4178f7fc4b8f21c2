/** Something that waits for the peer and can be broken off: a request or a stream. */
export interface Waiting {
  destroy(error: Error): unknown;
}

const INTERVAL_SECONDS = 0.5;
/** A loaded peer may be slow; one whose link is cut misses this many in a row. */
const MISSES_MOST = 3;

export interface Heartbeat {
  /** Watches one wait until `done` is called. */
  watch(waiting: Waiting): { done(): void };
  /** Ends every wait with this error. */
  breakOff(cause: Error): void;
  close(): void;
}

/**
 * While anything waits for the peer, asks it for a sign of life on a connection of its own. Without one, every wait is broken off: TCP alone
 * would take a quarter of an hour to notice a cut link, with the workload frozen all that time.
 */
export function makeHeartbeat(ping: () => Promise<void>): Heartbeat {
  const waits = new Set<Waiting>();
  const breakOff = (cause: Error) => {
    for (const waiting of waits) waiting.destroy(cause);
  };
  let misses = 0;
  let busy = false;
  const timer = setInterval(() => {
    if (waits.size === 0 || busy) return;
    busy = true;
    ping()
      .then(
        () => {
          misses = 0;
        },
        (error: Error) => {
          misses += 1;
          if (misses < MISSES_MOST) return;
          misses = 0;
          breakOff(new Error(`no sign of life: ${error.message}`));
        },
      )
      .finally(() => {
        busy = false;
      });
  }, INTERVAL_SECONDS * 1000);
  timer.unref();
  return {
    watch: (waiting) => {
      waits.add(waiting);
      return { done: () => waits.delete(waiting) };
    },
    breakOff,
    close: () => clearInterval(timer),
  };
}
