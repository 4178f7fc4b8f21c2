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

/** A process of a container. @property pid in its own namespace, which CRIU's images use @property here its pid among ours */
export interface ContainedProcess extends ProcessFact {
  readonly here: number;
  readonly hasMemory: boolean;
}

/** The same tree; sorted by pid. */
export async function readContained(initPid: number): Promise<ContainedProcess[]> {
  const processes = (await readTree(initPid)).map(async (here) => {
    const status = await readFile(`/proc/${here}/status`, "utf8");
    const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1] ?? "";
    const pid = Number(field("NSpid").split(/\s+/).at(-1));
    return { pid, here, command: field("Name"), threads: Number(field("Threads")), hasMemory: hasMemory(status) };
  });
  return (await Promise.all(processes)).sort((a, b) => a.pid - b.pid);
}

/** What of it tells one copy from another. */
export async function readProcesses(initPid: number): Promise<ProcessFact[]> {
  return (await readContained(initPid)).map(({ pid, command, threads }) => ({ pid, command, threads }));
}

/** Pids in its own namespace to pids here. */
export async function readPids(initPid: number): Promise<Record<number, number>> {
  return Object.fromEntries((await readContained(initPid)).map(({ pid, here }) => [pid, here]));
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
  return states.flatMap(([pid, status]) => (hasMemory(status) ? [pid] : []));
}

const hasMemory = (status: string) => /^VmSize:/m.test(status);

export async function isAlive(pid: number): Promise<boolean> {
  try {
    return !/^State:\s*Z/m.test(await readFile(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
