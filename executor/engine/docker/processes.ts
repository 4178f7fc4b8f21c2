import { readdir, readFile } from "node:fs/promises";
import type { ProcessFact } from "../engine.js";

/** The process tree below a container's init, as its own pid namespace numbers it; sorted by pid. */
export async function readProcesses(initPid: number): Promise<ProcessFact[]> {
  const facts: ProcessFact[] = [];
  const visit = async (pid: number): Promise<void> => {
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1] ?? "";
    facts.push({ pid: Number(field("NSpid").split(/\s+/).at(-1)), command: field("Name"), threads: Number(field("Threads")) });
    for (const task of await readdir(`/proc/${pid}/task`)) {
      const children = (await readFile(`/proc/${pid}/task/${task}/children`, "utf8")).trim();
      for (const child of children === "" ? [] : children.split(" ")) await visit(Number(child));
    }
  };
  await visit(initPid);
  return facts.sort((a, b) => a.pid - b.pid);
}

/** When a process started, in clock ticks since boot (proc(5), stat field 22). */
export async function readStartTicks(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
}

/** Clock ticks since boot, now; USER_HZ is 100 on every Linux that Docker runs on. */
export async function bootTicksNow(): Promise<number> {
  return Math.floor(Number((await readFile("/proc/uptime", "utf8")).split(" ")[0]) * 100);
}

export async function isAlive(pid: number): Promise<boolean> {
  try {
    return !/^State:\s*Z/m.test(await readFile(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
