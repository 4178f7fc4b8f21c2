import type { NodePoint } from "../../../policies/types.js";
import { ago, duration, percent } from "../../cli/words.js";

/** Readings missed before a node counts as silent. */
const READINGS_MISSED = 3;
/** The page itself reads anew only every few seconds, and a reading may be late. */
const LEAST_SECONDS = 15;

export interface DescribedHistory {
  /** Epoch seconds, CPU and memory ratios, for the chart; where the node was silent, a time with neither. */
  readonly series: [at: number[], cpu: (number | null)[], memory: (number | null)[]];
  /** What span of time it shows: `last 12 min 0 s`, or of a node that is silent now `12 min 0 s until 5 min 3 s ago`. */
  readonly span: string;
  /** For those who do not see the chart. */
  readonly spoken: string;
}

/** What a node's history, oldest first and of one point at least, shows at `now` (epoch seconds). */
export function describeHistory(history: readonly NodePoint[], now: number): DescribedHistory {
  const first = history[0]!;
  const last = history.at(-1)!;
  const silenceSeconds = Math.max(LEAST_SECONDS, READINGS_MISSED * usualSeconds(history));
  const points = history.flatMap((point, index): NodePoint[] => {
    const before = history[index - 1];
    if (before === undefined || point.at - before.at <= silenceSeconds) return [point];
    return [{ at: (before.at + point.at) / 2, cpuRatio: null, memoryRatio: null }, point];
  });
  const length = duration(Math.round(last.at - first.at));
  const isSilent = now - last.at > silenceSeconds;
  const ratios = history.flatMap(({ cpuRatio }) => cpuRatio ?? []);
  const cpu = ratios.length === 0 ? "CPU unknown" : `CPU at most ${percent(Math.max(...ratios))}`;
  const until = `until ${ago(last.at, now)}`;
  return {
    series: [points.map(({ at }) => at), points.map(({ cpuRatio }) => cpuRatio), points.map(({ memoryRatio }) => memoryRatio)],
    span: isSilent ? `${length} ${until}` : `last ${length}`,
    spoken: `CPU and memory of ${isSilent ? `${length} ${until}` : `the last ${length}`}, ${cpu}`,
  };
}

/** From one reading to the next: the median, which silences do not lengthen. */
function usualSeconds(history: readonly NodePoint[]): number {
  const steps = history.slice(1).map(({ at }, index) => at - history[index]!.at);
  return steps.sort((a, b) => a - b)[Math.floor((steps.length - 1) / 2)] ?? 0;
}
