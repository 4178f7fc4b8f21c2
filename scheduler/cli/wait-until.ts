import { setTimeout as pause } from "node:timers/promises";
import { EvenkeelError } from "../../platform/errors.js";

const POLL_MILLISECONDS = 500;
/** A leader that steps down is replaced within its lease; a scheduler that restarts comes back about as fast. */
const PATIENCE_MILLISECONDS = 30_000;

/**
 * Asks until `isOver`, or until `timeoutSeconds` have gone by (null = for ever). Rides out a scheduler that is away for a moment.
 * @returns the last answer, and whether it is over.
 */
export async function waitUntil<T>(
  ask: () => Promise<T>,
  isOver: (answer: T) => boolean,
  timeoutSeconds: number | null,
): Promise<{ answer: T; over: boolean }> {
  const end = timeoutSeconds === null ? Number.POSITIVE_INFINITY : Date.now() + timeoutSeconds * 1000;
  let heardAt = Date.now();
  for (;;) {
    try {
      const answer = await ask();
      heardAt = Date.now();
      if (isOver(answer)) return { answer, over: true };
      if (Date.now() >= end) return { answer, over: false };
    } catch (error) {
      const passing = error instanceof EvenkeelError && error.httpStatus === 503;
      if (!passing || Date.now() - heardAt > PATIENCE_MILLISECONDS || Date.now() >= end) throw error;
    }
    await pause(POLL_MILLISECONDS);
  }
}
