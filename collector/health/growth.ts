interface Reading {
  readonly seconds: number;
  readonly count: number;
}

/**
 * How much counters have grown within the last `windowSeconds`, each from its own first reading on. One that fell begins anew. `seconds`: when it was
 * read, on a clock that never steps back.
 */
export function makeGrowth(windowSeconds: number): (name: string, count: number, seconds: number) => number {
  const readings = new Map<string, Reading[]>();
  return (name, count, seconds) => {
    const known = readings.get(name) ?? [];
    const last = known.at(-1);
    const kept = last !== undefined && count < last.count ? [] : known.filter((reading) => seconds - reading.seconds <= windowSeconds);
    // What was last read before the window is where its growth begins.
    if (kept.length === 0 && last !== undefined && count >= last.count) kept.push(last);
    kept.push({ seconds, count });
    readings.set(name, kept);
    return count - kept[0]!.count;
  };
}
