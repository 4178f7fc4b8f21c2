import { readdir, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { EvenkeelError } from "../../../platform/errors.js";
import { monotonicSeconds } from "../../channel/events.js";
import type { DockerHost } from "./docker-host.js";
import { isAlive } from "./processes.js";

const END_DEADLINE_SECONDS = 30;
/** Docker mostly hears of an end within a fraction of a second; what was never its container it may not hear of at all. */
const HEARD_SECONDS = 5;
const LOOK_MILLISECONDS = 20;

/** Ends a copy for certain. A Docker that died before it had answered the start does not know that there is one, so its processes are killed here too. */
export async function endCopy(host: DockerHost, containerId: string): Promise<void> {
  const container = host.docker.getContainer(containerId);
  await container.kill().catch(ignore(404, 409));
  await container.wait().catch(ignore(404));
  const pids = await processesOf(containerId);
  if (pids.length === 0) return;
  const endedAt = () =>
    container.inspect().then(
      ({ State }) => State.FinishedAt,
      () => null,
    );
  const before = await endedAt();
  for (const pid of pids) killIfThere(pid);
  const deadline = monotonicSeconds() + END_DEADLINE_SECONDS;
  while ((await processesOf(containerId)).length > 0) {
    if (monotonicSeconds() > deadline)
      throw new EvenkeelError("ENGINE_FAILED", `process ${pids[0]} of ${containerId.slice(0, 12)} does not end`);
    await delay(LOOK_MILLISECONDS);
  }
  // Word of this end that comes during the next start Docker takes for the end of that: it takes the network away from a program that runs.
  const heardBy = monotonicSeconds() + HEARD_SECONDS;
  while ((await endedAt()) === before && monotonicSeconds() < heardBy) await delay(LOOK_MILLISECONDS);
}

/** @throws with Docker's words unless it runs afterwards, or its owner has removed it. */
export async function startAgain(host: DockerHost, containerId: string): Promise<void> {
  // 304: somebody was faster.
  await host.docker.getContainer(containerId).start().catch(ignore(304, 404));
}

/** By their control group: of a copy that was started and not restored nobody has noted a process. */
async function processesOf(containerId: string): Promise<number[]> {
  const all = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const own = await Promise.all(
    all.map(async (pid) => {
      const groups = await readFile(`/proc/${pid}/cgroup`, "utf8").catch(() => "");
      return groups.includes(containerId) && (await isAlive(pid));
    }),
  );
  return all.filter((_, index) => own[index]);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended with its first process.
  }
}

function ignore(...statuses: readonly number[]) {
  return (error: unknown) => {
    if (!statuses.includes((error as { statusCode?: number }).statusCode ?? 0)) throw error;
  };
}
