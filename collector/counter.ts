/** A value that only grows, and when it was read on a clock that never steps back. */
export interface Counter {
  readonly total: number;
  readonly readAtSeconds: number;
  /** Two totals are comparable only if they come from the same place. */
  readonly origin: string;
}

export function monotonicSeconds(): number {
  return performance.now() / 1000;
}

export function makeCounter(total: number | null, origin: string): Counter | null {
  return total === null ? null : { total, readAtSeconds: monotonicSeconds(), origin };
}

/** What was added between two readings; null when unknown, or when the counter began anew. */
export function growth(before: Counter | null | undefined, after: Counter | null | undefined): number | null {
  if (!before || !after || before.origin !== after.origin) return null;
  const added = after.total - before.total;
  return added < 0 ? null : added;
}

/** Growth per second; null when unknown. */
export function rate(before: Counter | null | undefined, after: Counter | null | undefined): number | null {
  const added = growth(before, after);
  const seconds = after && before ? after.readAtSeconds - before.readAtSeconds : 0;
  return added === null || seconds <= 0 ? null : added / seconds;
}

export type CounterSet = ReadonlyMap<string, Counter>;

/** Growth summed over the devices that both readings saw: one that came or went must not look like traffic. */
export function growthOfSet(before: CounterSet | null | undefined, after: CounterSet | null | undefined): number | null {
  return sumOver(before, after, growth);
}

/** As growthOfSet, per second. */
export function rateOfSet(before: CounterSet | null | undefined, after: CounterSet | null | undefined): number | null {
  return sumOver(before, after, rate);
}

function sumOver(before: CounterSet | null | undefined, after: CounterSet | null | undefined, measure: typeof growth): number | null {
  if (!before || !after) return null;
  const known = [...after].map(([device, counter]) => measure(before.get(device), counter)).filter((value) => value !== null);
  return known.length === 0 && after.size > 0 ? null : known.reduce((sum, value) => sum + value, 0);
}
