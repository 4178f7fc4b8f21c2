import { readFileSync } from "node:fs";

/** Which process, told apart from a later one that was given the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: number;
  readonly bootId: string;
}

export const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

/** Start time of a process in clock ticks after boot, or undefined when it is gone (or a zombie). */
function startTicksOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command in parentheses may hold spaces: fields are counted after it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : Number(fields[19]);
  } catch {
    return undefined;
  }
}

export function identify(pid: number): ProcessIdentity {
  return { pid, startTicks: startTicksOf(pid) ?? 0, bootId };
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identity.bootId === bootId && startTicksOf(identity.pid) === identity.startTicks;
}
