type Falsy = false | null | undefined | 0 | "";

/** Every deadline is meant for a machine with nothing else to do. One that is kept costs nothing, and a machine that others slow down keeps it later. */
const PATIENCE = 3;

/** Asks again and again until `condition` gives something truthy, which is returned. Errors it throws count as "not yet". */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  { deadlineSeconds = 15, everyMilliseconds = 25 } = {},
): Promise<Exclude<T, Falsy>> {
  const patienceSeconds = deadlineSeconds * PATIENCE;
  const deadline = Date.now() + patienceSeconds * 1000;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const value = await condition();
      if (value) return value as Exclude<T, Falsy>;
      last = value;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, everyMilliseconds));
  }
  throw new Error(`waited ${patienceSeconds} s in vain for ${what}; last seen: ${String(last)}`);
}
