import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { joinedBy } from "../../../platform/joined-by.js";
import type { Companion, SharedIpc, WorkloadDescription } from "../engine.js";
import { type Inspection, inspect } from "./describe.js";
import type { DockerHost } from "./docker-host.js";

const run = promisify(execFile);

/** Nobody can join any other; empty in what Docker made before it knew of modes. */
const OPEN_MODES: ReadonlySet<string> = new Set(["shareable", ""]);

/** With whom a container shares its IPC namespace. */
export async function readSharedIpc(host: DockerHost, seen: Inspection): Promise<SharedIpc> {
  const ownerId = joinedBy(seen.HostConfig.IpcMode);
  return {
    // Of one that is gone preflight says so.
    owner:
      ownerId === null
        ? null
        : await inspect(host, ownerId).then(toCompanion, () => ({ containerId: ownerId, name: ownerId.slice(0, 12) })),
    joiners: OPEN_MODES.has(seen.HostConfig.IpcMode ?? "") ? await readJoiners(host, seen.Id) : [],
  };
}

export function sharesIpc({ sharedIpc: { owner, joiners } }: Pick<WorkloadDescription, "sharedIpc">): boolean {
  return owner !== null || joiners.length > 0;
}

/** Docker's list does not tell: each has to be inspected. */
async function readJoiners(host: DockerHost, ownerId: string): Promise<Companion[]> {
  const running = await host.docker.listContainers();
  const all = await Promise.all(running.map(({ Id }) => inspect(host, Id).catch(() => null)));
  return all
    .filter((each) => each !== null && joinedBy(each.HostConfig.IpcMode) === ownerId)
    .map((each) => toCompanion(each!))
    .sort((one, other) => (one.containerId < other.containerId ? -1 : 1));
}

const toCompanion = ({ Id, Name }: Inspection): Companion => ({ containerId: Id, name: Name.replace(/^\//, "") });

/** Of System V memory in the IPC namespace of a process: what is in memory, or swapped out. */
export async function readSystemVBytes(pid: number): Promise<number> {
  if (pid === 0) return 0;
  // The kernel tells of the namespace of whoever opens the file.
  const { stdout } = await run("nsenter", ["-t", String(pid), "-i", "cat", "/proc/sysvipc/shm"]).catch(() => ({ stdout: "" }));
  return sumSystemV(stdout);
}

/** @param text /proc/sysvipc/shm */
export function sumSystemV(text: string): number {
  const [head = "", ...lines] = text.trim().split("\n");
  const names = head.trim().split(/\s+/);
  const columns = ["rss", "swap"].map((name) => names.indexOf(name)).filter((column) => column >= 0);
  return lines.reduce((sum, line) => {
    const values = line.trim().split(/\s+/);
    return sum + columns.reduce((own, column) => own + (Number(values[column]) || 0), 0);
  }, 0);
}
