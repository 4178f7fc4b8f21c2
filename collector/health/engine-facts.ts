import type Docker from "dockerode";
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

/** The engine's events, told apart by whether the container has a limit that it could reach by itself. */
export function countOoms(events: ReadonlyMap<string, number>, memoryLimited: ReadonlySet<string>): OomCounts {
  let [limited, unlimited] = [0, 0];
  for (const [container, count] of events) {
    if (memoryLimited.has(container)) limited += count;
    else unlimited += count;
  }
  return { limited, unlimited };
}
