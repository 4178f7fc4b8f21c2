import type Docker from "dockerode";
import type { WorkloadSample } from "../protocol.js";
import type { OomCounts } from "./oom-kills.js";

const CONTAINERD = "/var/lib/containerd";

/** Where Docker keeps what it writes. An engine that does not answer changes nothing: it is asked again at the next look. */
export async function dockerFolders(docker: Docker): Promise<readonly string[]> {
  try {
    const { DockerRootDir } = (await docker.info()) as { DockerRootDir?: string };
    return [...(DockerRootDir === undefined ? [] : [DockerRootDir]), CONTAINERD];
  } catch {
    return [CONTAINERD];
  }
}

/** The engine tells of a container's end after the kernel has. */
const REMEMBERED_SECONDS = 600;

export interface LimitedContainers {
  /** `seconds`: on a clock that never steps back. */
  see(workloads: readonly Pick<WorkloadSample, "containerId" | "memoryLimitBytes">[], seconds: number): void;
  readonly ids: ReadonlySet<string>;
}

/**
 * Containers with a memory limit of their own, those that have just gone included; and for good those that have run out of memory, whose events must not
 * change sides.
 */
export function rememberLimited(oomEvents: () => ReadonlyMap<string, number>): LimitedContainers {
  const seenSeconds = new Map<string, number>();
  const ids = new Set<string>();
  return {
    ids,
    see(workloads, seconds) {
      for (const { containerId, memoryLimitBytes } of workloads) {
        if (memoryLimitBytes === null) continue;
        seenSeconds.set(containerId, seconds);
        ids.add(containerId);
      }
      const events = oomEvents();
      for (const [id, last] of seenSeconds) {
        if (seconds - last <= REMEMBERED_SECONDS || events.has(id)) continue;
        seenSeconds.delete(id);
        ids.delete(id);
      }
    },
  };
}

/** The engine's events, told apart by whether the container has a limit that it could reach by itself. */
export function countOoms(events: ReadonlyMap<string, number>, memoryLimited: ReadonlySet<string>): OomCounts {
  let [limited, unlimited] = [0, 0];
  for (const [container, count] of events) {
    if (memoryLimited.has(container)) limited += count;
    else unlimited += count;
  }
  return { limited, unlimited };
}
