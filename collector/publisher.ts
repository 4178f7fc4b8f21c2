import type { NodeIdentity, NodeSample } from "./protocol.js";

export interface Publisher {
  /** Takes the place of a sample that is still waiting: only the newest is worth anything. */
  offer(sample: NodeSample): void;
  /** Goes out with the next sample. */
  announce(identity: NodeIdentity): void;
  /** Tries again what could not be pushed; to be called when Redis is back. */
  flush(): void;
  close(): Promise<void>;
}

export interface PublisherOptions {
  push(sample: NodeSample, identity: NodeIdentity | null): Promise<void>;
  /** A push that has no answer by then counts as failed, and `abandon` is called so that it cannot succeed later. */
  readonly timeoutSeconds: number;
  abandon(): void;
  onFailure(error: unknown): void;
  onSuccess(sample: NodeSample): void;
}

/** Pushes one at a time, beside the sampling, so that a slow or absent Redis never holds a reading up. */
export function makePublisher(options: PublisherOptions): Publisher {
  let waiting: NodeSample | null = null;
  let identity: NodeIdentity | null = null;
  let running: Promise<void> | null = null;
  let isClosed = false;

  const pushOne = async (sample: NodeSample): Promise<void> => {
    const announced = identity;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        options.abandon();
        reject(new Error(`Redis gave no answer in ${options.timeoutSeconds} s`));
      }, options.timeoutSeconds * 1000);
    });
    try {
      await Promise.race([options.push(sample, announced), timeout]);
      if (identity === announced) identity = null;
      options.onSuccess(sample);
    } catch (error) {
      waiting ??= sample;
      options.onFailure(error);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };

  const drain = async () => {
    while (waiting !== null && !isClosed) {
      const sample = waiting;
      waiting = null;
      await pushOne(sample);
    }
  };

  const flush = () => {
    running ??= drain()
      // The failed sample waits for the next offer or flush.
      .catch(() => {})
      .finally(() => {
        running = null;
      });
  };

  return {
    offer(sample) {
      waiting = sample;
      flush();
    },
    announce(value) {
      identity = value;
    },
    flush,
    async close() {
      isClosed = true;
      await running;
    },
  };
}
