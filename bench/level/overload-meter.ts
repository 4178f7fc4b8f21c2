/** A node that has not reported for longer adds nothing: nobody knows how busy it was. */
const LONGEST_STEP_SECONDS = 5;

/** Adds up how long nodes are above the bound, from their own samples. Instants are epoch seconds. */
export function makeOverloadMeter(boundRatio: number, begunAt: number, daySeconds: number) {
  const nodes = new Map<string, { lastAt: number; overloadSeconds: number; load: number; seconds: number }>();
  const days: number[] = [];
  return {
    /** Each sample stands for the time since the one before it. */
    add: (name: string, at: number, ratio: number): void => {
      const entry = nodes.get(name) ?? { lastAt: at, overloadSeconds: 0, load: 0, seconds: 0 };
      nodes.set(name, entry);
      const step = at - entry.lastAt;
      if (step <= 0) return;
      entry.lastAt = at;
      if (step > LONGEST_STEP_SECONDS) return;
      entry.seconds += step;
      entry.load += ratio * step;
      const day = Math.max(0, Math.floor((at - begunAt) / daySeconds));
      while (days.length <= day) days.push(0);
      if (ratio <= boundRatio) return;
      entry.overloadSeconds += step;
      days[day] = days[day]! + step;
    },
    read: () => {
      const each = [...nodes];
      return {
        overloadSeconds: each.reduce((total, [, { overloadSeconds }]) => total + overloadSeconds, 0),
        overloadSecondsByNode: Object.fromEntries(each.map(([name, { overloadSeconds }]) => [name, overloadSeconds])),
        overloadSecondsByDay: days,
        meanCpuRatioByNode: Object.fromEntries(each.map(([name, { load, seconds }]) => [name, load / seconds])),
      };
    },
  };
}
