import { setTimeout as delay } from "node:timers/promises";

const LATE = Symbol("late");

/**
 * Asks again until the answer is neither undefined nor false.
 * Throws, naming `what`, once `seconds` have passed, even while a question has no answer; an error of `ask` itself ends the wait at once.
 */
export async function waitFor<T>(
  what: string,
  seconds: number,
  ask: () => T | Promise<T>,
  pauseMilliseconds = 20,
): Promise<Exclude<T, undefined | false>> {
  const end = performance.now() + seconds * 1000;
  const broken = new AbortController();
  const tooLate = delay(seconds * 1000, LATE, { signal: broken.signal });
  tooLate.catch(() => {});
  try {
    for (;;) {
      const answer = await Promise.race([ask(), tooLate]);
      if (answer === LATE) throw new Error(`gave up after ${seconds} s waiting for ${what}: the last question got no answer`);
      if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
      await delay(pauseMilliseconds);
      if (performance.now() > end) throw new Error(`gave up after ${seconds} s waiting for ${what}`);
    }
  } finally {
    broken.abort();
  }
}
