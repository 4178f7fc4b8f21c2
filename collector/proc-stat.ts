import { parseCount } from "./parse-number.js";

/** USER_HZ: the unit of /proc/stat is fixed at 1/100 s on every architecture Node runs on (proc(5)). */
const TICKS_PER_SECOND = 100;

export interface MachineCpu {
  readonly onlineCpus: number;
  /** Summed over all CPUs since boot. */
  readonly busySeconds: number;
}

/**
 * Busy is all but idle and iowait. Steal counts as busy: the hypervisor gave that time to others, so no workload could have
 * had it. Guest time is part of user time already.
 */
export function parseProcStat(text: string): MachineCpu {
  const lines = text.split("\n");
  const fields = lines[0]?.trim().split(/\s+/) ?? [];
  if (fields[0] !== "cpu") throw new Error("no cpu line");
  const [user, nice, system, , , irq, softirq, steal] = fields.slice(1).map((field) => parseCount(field));
  const ticks = [user, nice, system, irq, softirq, steal].reduce<number>((sum, value) => sum + (value ?? 0), 0);
  const onlineCpus = lines.filter((line) => /^cpu\d+ /.test(line)).length;
  if (onlineCpus === 0) throw new Error("no cpuN line");
  return { onlineCpus, busySeconds: ticks / TICKS_PER_SECOND };
}
