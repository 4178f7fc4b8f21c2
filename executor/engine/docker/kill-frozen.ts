import { readTree, thoseWithMemory } from "./processes.js";

const LOOK_MILLISECONDS = 5;

/**
 * Kills a workload that CRIU holds frozen after a lazy dump, and then CRIU. Its own way to that end leads through a page server that kills or frees the
 * workload as its connection ends; nothing is left to that. The order matters: while CRIU lives, its copies of the sockets keep them in
 * repair mode, so that they close without a word to the clients, who talk to the other copy by now.
 */
export async function killFrozen(initPid: number, runcPid: number): Promise<void> {
  const workload = await readTree(initPid).catch(() => []);
  const criu = await readTree(runcPid).catch(() => []);
  for (const pid of workload) end(pid);
  // A process without memory has left user space for good; what is left of it waits for CRIU, which traces it, to look away.
  while ((await thoseWithMemory(workload)).length > 0) await new Promise((resolve) => setTimeout(resolve, LOOK_MILLISECONDS));
  endTree(criu);
}

/** Parents first, so that no runc sees its CRIU fail and acts on it. @param pids as readTree tells them */
export function endTree(pids: readonly number[]): void {
  for (const pid of pids) end(pid);
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It is gone already.
  }
}
