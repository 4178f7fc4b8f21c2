type Falsy = false | null | undefined | 0 | "";

/** Asks again and again until `condition` gives something truthy, which is returned. Errors it throws count as "not yet". */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  { deadlineSeconds = 15, everyMilliseconds = 25 } = {},
): Promise<Exclude<T, Falsy>> {
  const deadline = Date.now() + deadlineSeconds * 1000;
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
  throw new Error(`waited ${deadlineSeconds} s in vain for ${what}; last seen: ${String(last)}`);
}
