import { writeFile } from "node:fs/promises";
import { inspect } from "./describe.js";
import type { DockerHost } from "./docker-host.js";

/** Tells the scripts of a restore that Docker will announce an IPv6 address of the twin, and not start it if it cannot; they look for it beside their FIFOs. */
const MARK = "ipv6";

/** It is this node's networks that say so: one may give addresses of a family that the workload has not had. */
export async function markIPv6(host: DockerHost, folder: string, containerId: string): Promise<void> {
  const { NetworkSettings } = await inspect(host, containerId);
  const networks = await Promise.all(Object.keys(NetworkSettings.Networks).map((name) => host.docker.getNetwork(name).inspect()));
  if (networks.some((network) => (network as { EnableIPv6?: boolean }).EnableIPv6 === true)) await writeFile(`${folder}/${MARK}`, "");
}
