import { readdir } from "node:fs/promises";
import Docker from "dockerode";
import { EvenkeelError } from "../../../platform/errors.js";

/** Docker as a node's executor reaches it. */
export interface DockerHost {
  readonly docker: Docker;
  readonly socketPath: string;
  /** Where containerd's shims keep runc's state, one folder a namespace: `moby`, or `moby-<uid>.<gid>` under --userns-remap. */
  readonly runtimeRoots: string;
  /** Docker's own folder (`docker info`'s DockerRootDir), asked for once: the freeze cannot wait for it. */
  rootFolder(): Promise<string>;
}

export function connectDocker(socketPath: string): DockerHost {
  const docker = new Docker({ socketPath });
  let root: string | null = null;
  return {
    docker,
    socketPath,
    runtimeRoots: "/run/docker",
    rootFolder: async () => {
      root ??= ((await docker.info()) as { DockerRootDir: string }).DockerRootDir;
      return root;
    },
  };
}

/** runc's `--root` for a container, found by looking: it depends on the runtime's name and on the user-namespace mapping. */
export async function findRuncRoot(host: DockerHost, containerId: string): Promise<string> {
  for (const runtime of await readdir(host.runtimeRoots).catch(() => [])) {
    if (!runtime.startsWith("runtime-")) continue;
    for (const namespace of await readdir(`${host.runtimeRoots}/${runtime}`)) {
      const root = `${host.runtimeRoots}/${runtime}/${namespace}`;
      if ((await readdir(root)).includes(containerId)) return root;
    }
  }
  throw new EvenkeelError("ENGINE_FAILED", `runc keeps no state of container ${containerId} below ${host.runtimeRoots}`);
}

/** Which image a name or id means here; null = none. */
export async function imageIdOf({ docker }: DockerHost, reference: string): Promise<string | null> {
  try {
    return (await docker.getImage(reference).inspect()).Id;
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}

/** dockerode rejects with an error that carries `statusCode`. */
export function isNotFound(error: unknown): boolean {
  return (error as { statusCode?: number }).statusCode === 404;
}

/** Something is in use, or not in the state that was asked for. */
export function isConflict(error: unknown): boolean {
  return (error as { statusCode?: number }).statusCode === 409;
}

export function isNotModified(error: unknown): boolean {
  return (error as { statusCode?: number }).statusCode === 304;
}
