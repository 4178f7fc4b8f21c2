import { readdir, readFile } from "node:fs/promises";
import type { ProcessFact } from "../engine.js";

/** Pids of a container's init and all below it, as this node numbers them; parents before children. @throws when that init is gone */
export async function readTree(initPid: number): Promise<number[]> {
  const pids = [initPid];
  for (const task of await readdir(`/proc/${initPid}/task`)) {
    // Where nobody has frozen them, threads and processes end meanwhile.
    const children = (await readFile(`/proc/${initPid}/task/${task}/children`, "utf8").catch(() => "")).trim();
    for (const child of children === "" ? [] : children.split(" ")) pids.push(...(await readTree(Number(child)).catch(() => [])));
  }
  return pids;
}

/** The same tree as its own pid namespace numbers it; sorted by pid. */
export async function readProcesses(initPid: number): Promise<ProcessFact[]> {
  const facts = (await readTree(initPid)).map(async (pid) => {
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1] ?? "";
    return { pid: Number(field("NSpid").split(/\s+/).at(-1)), command: field("Name"), threads: Number(field("Threads")) };
  });
  return (await Promise.all(facts)).sort((a, b) => a.pid - b.pid);
}

/** The same tree: pids in its own pid namespace, which CRIU's images use, to pids here. */
export async function readPids(initPid: number): Promise<Record<number, number>> {
  const pairs = (await readTree(initPid)).map(async (pid) => {
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    return [Number(/^NSpid:.*\s(\d+)$/m.exec(status)?.[1]), pid] as const;
  });
  return Object.fromEntries(await Promise.all(pairs));
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

/** Those of them that have a memory: one that was killed has none, though its parent or who traces it has not heard of that yet. */
export async function thoseWithMemory(pids: readonly number[]): Promise<number[]> {
  const states = await Promise.all(pids.map(async (pid) => [pid, await readFile(`/proc/${pid}/status`, "utf8").catch(() => "")] as const));
  return states.flatMap(([pid, status]) => (/^VmSize:/m.test(status) ? [pid] : []));
}

export async function isAlive(pid: number): Promise<boolean> {
  try {
    return !/^State:\s*Z/m.test(await readFile(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
