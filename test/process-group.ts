import type { ChildProcess } from "node:child_process";

/**
 * Kills a child that was spawned `detached`, and with it all that it has started and not detached in turn: a test that is broken off cannot end its redis-server
 * itself. What is of a lab has a guardian instead.
 */
export function killGroup({ pid }: Pick<ChildProcess, "pid">): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    // Nobody is left of it.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
