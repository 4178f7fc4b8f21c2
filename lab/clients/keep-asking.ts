import { setTimeout as pause } from "node:timers/promises";
import { nowSeconds } from "../../platform/clock.js";
import { type Address, AnswerBroken } from "./connection.js";
import type { Caller, Dialogue } from "./dialogue.js";
import type { Observed } from "./observed.js";

const RETRY_MS = 100;

export interface Asking {
  readonly address: Address;
  readonly call: Caller;
  readonly observed: Observed;
  /** Pause between an answer and the next request. */
  readonly pauseMs: number;
}

/**
 * Asks over one connection, each request only after the answer to the one before, until the signal says stop. A lost connection
 * is counted and another opened. Waiting for the workload to be there for the first time counts as nothing.
 */
export async function keepAsking({ address, call, observed, pauseMs }: Asking, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const dialogue = await opened(call(address), signal);
    if (dialogue === null) {
      await pause(RETRY_MS, undefined, { signal }).catch(() => {});
      continue;
    }
    const close = () => dialogue.close();
    signal.addEventListener("abort", close, { once: true });
    observed.opened(nowSeconds(), dialogue.localPort);
    try {
      await converse(dialogue, observed, pauseMs, signal);
    } catch (error) {
      if (signal.aborted) return;
      const because = error instanceof Error ? error.message : String(error);
      if (error instanceof AnswerBroken) observed.wrong([because]);
      observed.lost(nowSeconds(), because, !(error instanceof AnswerBroken));
    } finally {
      signal.removeEventListener("abort", close);
      dialogue.close();
    }
  }
}

/** Null when it cannot be opened, or not before the signal: a machine whose link is cut lets a connection attempt hang for minutes. */
function opened(attempt: Promise<Dialogue>, signal: AbortSignal): Promise<Dialogue | null> {
  return new Promise((resolve) => {
    const giveUp = () => resolve(null);
    signal.addEventListener("abort", giveUp, { once: true });
    attempt
      .then((dialogue) => (signal.aborted ? dialogue.close() : resolve(dialogue)), giveUp)
      .finally(() => signal.removeEventListener("abort", giveUp));
  });
}

async function converse(dialogue: Dialogue, observed: Observed, pauseMs: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    observed.asked(nowSeconds());
    const faults = await dialogue.ask();
    observed.answered(nowSeconds(), faults);
    await pause(pauseMs, undefined, { signal });
  }
}
