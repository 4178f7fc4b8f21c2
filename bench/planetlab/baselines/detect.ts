import type { Host, Vm } from "../fleet.js";
import { HISTORY_LENGTH } from "../setup.js";

/** Would this host be overloaded if it held these VMs? */
export type OverloadDetector = (host: Host, vms: readonly Vm[]) => boolean;

const FALLBACK_RATIO = 0.7;
/** Samples needed before the spread of the past says anything. */
const SPREAD_SAMPLES = 12;
/** Short, so that the line follows the latest values. */
const TREND_SAMPLES = 10;

/** THR: demand above a fixed ratio of capacity. */
export function staticThreshold(ratio: number): OverloadDetector {
  return (host, vms) => demandRatio(host, vms) > ratio;
}

/** IQR: the bound sinks with the interquartile range of the past. */
export function interquartileRange(safety: number): OverloadDetector {
  const fallback = staticThreshold(FALLBACK_RATIO);
  return (host, vms) => {
    const past = pastOf(host, vms);
    if (past.length < SPREAD_SAMPLES) return fallback(host, vms);
    const sorted = past.toSorted((a, b) => a - b);
    const quartile = (share: number) => sorted[Math.round(share * (sorted.length + 1)) - 1] as number;
    return demandRatio(host, vms) > 1 - safety * (quartile(0.75) - quartile(0.25));
  };
}

/**
 * LR: a straight line through the last ten readings reaches capacity one interval ahead. (CloudSim's tricube weights
 * never take effect, so its line is the ordinary least squares one.)
 */
export function localRegression(safety: number): OverloadDetector {
  const fallback = staticThreshold(FALLBACK_RATIO);
  return (host, vms) => {
    const past = pastOf(host, vms);
    if (past.length < TREND_SAMPLES) return fallback(host, vms);
    const meanX = (TREND_SAMPLES + 1) / 2;
    let meanY = 0;
    for (let i = 0; i < TREND_SAMPLES; i++) meanY += (past[i] as number) / TREND_SAMPLES;
    let xy = 0;
    let xx = 0;
    for (let i = 0; i < TREND_SAMPLES; i++) {
      const x = TREND_SAMPLES - i - meanX;
      xy += x * ((past[i] as number) - meanY);
      xx += x * x;
    }
    return safety * (meanY + (xy / xx) * (TREND_SAMPLES + 1 - meanX)) >= 1;
  };
}

function demandRatio(host: Host, vms: readonly Vm[]): number {
  let mips = 0;
  for (const vm of vms) mips += vm.demandMips;
  return mips / host.capacityMips;
}

/** What the host's CPU ratio would have been with these VMs, newest first, up to the oldest reading that is not zero. */
function pastOf(host: Host, vms: readonly Vm[]): number[] {
  const past = Array.from({ length: HISTORY_LENGTH }, () => 0);
  for (const vm of vms) {
    for (let i = 0; i < vm.history.length; i++) {
      past[i] = (past[i] as number) + ((vm.history[i] as number) * vm.kind.mips) / host.capacityMips;
    }
  }
  while (past.length > 1 && past.at(-1) === 0) past.pop();
  return past;
}
