import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { EvenkeelError } from "../../../platform/errors.js";
import { monotonicSeconds } from "../../channel/events.js";
import type { DockerHost } from "./docker-host.js";
import { isAlive } from "./processes.js";

const END_DEADLINE_SECONDS = 30;
const LOOK_MILLISECONDS = 20;

/** Ends a copy for certain. A Docker that died before it had answered the start does not know that there is one, so its first process is killed here too. */
export async function endCopy(host: DockerHost, containerId: string, folder: string): Promise<void> {
  const container = host.docker.getContainer(containerId);
  await container.kill().catch(ignore(404, 409));
  await container.wait().catch(ignore(404));
  const pid = await firstProcess(containerId, folder);
  if (pid === null) return;
  process.kill(pid, "SIGKILL");
  const deadline = monotonicSeconds() + END_DEADLINE_SECONDS;
  while ((await firstProcess(containerId, folder)) !== null) {
    if (monotonicSeconds() > deadline)
      throw new EvenkeelError("ENGINE_FAILED", `process ${pid} of ${containerId.slice(0, 12)} does not end`);
    await delay(LOOK_MILLISECONDS);
  }
}

/** @throws with Docker's words unless it runs afterwards, or its owner has removed it. */
export async function startAgain(host: DockerHost, containerId: string): Promise<void> {
  // 304: somebody was faster.
  await host.docker.getContainer(containerId).start().catch(ignore(304, 404));
}

/** What the restore noted, as long as it is one of that container's processes: a pid may be another's by now. */
async function firstProcess(containerId: string, folder: string): Promise<number | null> {
  const pid = Number(await readFile(`${folder}/init-pid`, "utf8").catch(() => "0"));
  if (pid === 0 || !(await isAlive(pid))) return null;
  const groups = await readFile(`/proc/${pid}/cgroup`, "utf8").catch(() => "");
  return groups.includes(containerId) ? pid : null;
}

function ignore(...statuses: readonly number[]) {
  return (error: unknown) => {
    if (!statuses.includes((error as { statusCode?: number }).statusCode ?? 0)) throw error;
  };
}
