import { setTimeout as delay } from "node:timers/promises";

/**
 * Asks again until the answer is neither undefined nor false.
 * Throws, naming `what`, once `seconds` have passed; an error of `ask` itself ends the wait at once.
 */
export async function waitFor<T>(
  what: string,
  seconds: number,
  ask: () => T | Promise<T>,
  pauseMilliseconds = 20,
): Promise<Exclude<T, undefined | false>> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
    if (performance.now() > end) throw new Error(`gave up after ${seconds} s waiting for ${what}`);
    await delay(pauseMilliseconds);
  }
}
