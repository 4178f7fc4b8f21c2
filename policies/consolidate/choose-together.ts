/** What may be chosen, in order, and what it would mean. */
export interface Choices<T> {
  /** At most `count` of those from there on, and where to go on. */
  offer(from: number, count: number): { readonly part: readonly T[]; readonly next: number };
  /** Whether all these may be chosen together. */
  isBorne(chosen: readonly T[]): boolean;
  withdraw(part: readonly T[]): void;
}

/**
 * As many as are borne together, `most` at most, the earlier first. `isBorne` is dear and is asked `checks` times at most: while it says yes
 * twice as many are tried at once; where it says no, one at a time.
 */
export function chooseTogether<T>({ offer, isBorne, withdraw }: Choices<T>, most: number, checks: number): readonly T[] {
  const chosen: T[] = [];
  let from = 0;
  let together = 1;
  for (let checked = 0; checked < checks && chosen.length < most; checked++) {
    const { part, next } = offer(from, Math.min(together, most - chosen.length));
    if (part.length === 0) break;
    if (isBorne([...chosen, ...part])) {
      chosen.push(...part);
      together *= 2;
      from = next;
      continue;
    }
    withdraw(part);
    if (part.length === 1) from = next;
    together = 1;
  }
  return chosen;
}
