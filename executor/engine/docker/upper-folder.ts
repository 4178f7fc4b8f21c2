import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { EvenkeelError } from "../../../platform/errors.js";
import type { Inspection } from "./describe.js";
import type { DockerHost } from "./docker-host.js";

const run = promisify(execFile);

/**
 * The folder that holds what a container changed of its image, running or not. With storage driver overlay2 Docker tells it. With the image store of
 * containerd (Docker 29's default) it is the top of the container's snapshot, which bears the container's id: containerd tells how it
 * would be mounted. Null when there is none to be seen.
 */
export async function findUpperFolder(host: DockerHost, seen: Pick<Inspection, "Id" | "GraphDriver">): Promise<string | null> {
  const told = seen.GraphDriver?.Data?.["UpperDir"];
  if (told !== undefined) return told;
  const info = (await host.docker.info()) as { Driver: string; Containerd?: { Address?: string; Namespaces?: { Containers?: string } } };
  if (info.Driver !== "overlayfs" || info.Containerd?.Address === undefined) return null;
  const { Address, Namespaces } = info.Containerd;
  const namespace = Namespaces?.Containers ?? "moby";
  // Only printed: `mounts` mounts nothing.
  const command = [
    "--address",
    Address,
    "--namespace",
    namespace,
    "snapshots",
    "--snapshotter",
    info.Driver,
    "mounts",
    "/nowhere",
    seen.Id,
  ];
  const { stdout } = await run("ctr", command).catch((error: Error) => {
    throw new EvenkeelError("ENGINE_FAILED", `containerd does not tell the snapshot of ${seen.Id.slice(0, 12)}: ${error.message}`, {
      cause: error,
    });
  });
  return /[ ,]upperdir=([^,\s]+)/.exec(stdout)?.[1] ?? null;
}
