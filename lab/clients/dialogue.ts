import type { Address } from "./connection.js";

/** One open connection to a workload and what is known of the answers it must give. */
export interface Dialogue {
  /** Stays the same as long as it is the same TCP connection. */
  readonly localPort: number;
  /**
   * Sends the next request and waits for its answer. Resolves with what is wrong with it, in words; empty = right.
   * Rejects with ConnectionLost or AnswerBroken; the dialogue is over then.
   */
  ask(): Promise<readonly string[]>;
  close(): void;
}

/**
 * Opens a dialogue. What a workload must still know after a lost connection is kept between calls of the same caller, so a workload
 * that came back empty is noticed.
 */
export type Caller = (address: Address) => Promise<Dialogue>;
