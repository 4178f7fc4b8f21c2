import { readFile } from "node:fs/promises";
import { type Finding, finding } from "../../platform/findings.js";

/**
 * Settings of a kernel, for all that runs on it, that administrators raise for the sake of a program: what is below them on the one node may be beyond them on the
 * other. Those that a kernel draws from the size of its memory are left out.
 */
const RAISED = [
  "vm.max_map_count",
  "fs.nr_open",
  "fs.aio-max-nr",
  "fs.inotify.max_user_instances",
  "kernel.pid_max",
  "net.core.rmem_max",
  "net.core.wmem_max",
] as const;

/** With this value the kernel promises no more memory than there is: what was given elsewhere may be refused (proc(5)). */
const OVERCOMMIT = "vm.overcommit_memory";
const NEVER = 2;

/** By name; without those that this kernel does not have. */
export type KernelLimits = Readonly<Record<string, number>>;

export async function readKernelLimits(): Promise<KernelLimits> {
  const read = async (name: string) => {
    const text = await readFile(`/proc/sys/${name.replaceAll(".", "/")}`, "utf8").catch(() => null);
    return text === null ? [] : [[name, Number(text)] as const];
  };
  return Object.fromEntries((await Promise.all([...RAISED, OVERCOMMIT].map(read))).flat());
}

/** Where the destination's kernel gives less. */
export function lowerLimitFindings(source: KernelLimits, destination: KernelLimits): Finding[] {
  const lower = RAISED.filter((name) => (destination[name] ?? Number.POSITIVE_INFINITY) < (source[name] ?? 0)).map(
    (name) => `${name} is ${destination[name]}, not ${source[name]}`,
  );
  if (destination[OVERCOMMIT] === NEVER && source[OVERCOMMIT] !== NEVER) lower.push(`${OVERCOMMIT} is ${NEVER}, not ${source[OVERCOMMIT]}`);
  return lower.length === 0 ? [] : [finding("kernel-limits-lower", lower.join("; "))];
}

/** Whether this kernel lets a workload have what it has already, as far as CRIU would ask for it again. */
export function usedLimitFindings(used: KernelLimits, here: KernelLimits): Finding[] {
  const beyond = Object.entries(used).filter(([name, value]) => value > (here[name] ?? Number.POSITIVE_INFINITY));
  if (beyond.length === 0) return [];
  return [finding("kernel-limit-short", beyond.map(([name, value]) => `It has ${value}, and ${name} is ${here[name]} here`).join("; "))];
}

/** What the processes of a workload have of it: mappings of the one that has most, the most files that one may open, the highest number of one inside. */
export async function readUsedLimits(pids: readonly number[]): Promise<KernelLimits> {
  const each = await Promise.all(
    pids.map(async (pid) => {
      const read = (name: string) => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "");
      const [maps, limits, status] = await Promise.all([read("maps"), read("limits"), read("status")]);
      return [
        maps.split("\n").length - 1,
        Number(/^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1] ?? 0),
        Number(/^NSpid:.*\s(\d+)$/m.exec(status)?.[1] ?? 0),
      ] as const;
    }),
  );
  const most = (index: 0 | 1 | 2) => Math.max(0, ...each.map((values) => values[index]));
  return { "vm.max_map_count": most(0), "fs.nr_open": most(1), "kernel.pid_max": most(2) };
}
