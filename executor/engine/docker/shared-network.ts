import { joinedBy } from "../../../platform/joined-by.js";
import type { SharedNetwork } from "../engine.js";
import { readAttachments } from "./attachments.js";
import type { Inspection } from "./describe.js";
import type { DockerHost } from "./docker-host.js";

/** With whom a container shares its network: whose it has joined (`owner` is null when that one is gone), and who has joined its own. */
export async function readSharedNetwork(host: DockerHost, seen: Inspection, owner: Inspection | null): Promise<SharedNetwork> {
  const running = await host.docker.listContainers();
  const joiners = running
    .filter((each) => joinedBy(each.HostConfig.NetworkMode) === seen.Id)
    .map((each) => ({ containerId: each.Id, name: each.Names[0]?.replace(/^\//, "") ?? each.Id.slice(0, 12) }));
  const ownerId = joinedBy(seen.HostConfig.NetworkMode);
  if (ownerId === null) return { owner: null, joiners };
  if (owner === null) return { owner: { containerId: ownerId, name: ownerId.slice(0, 12), keeps: true }, joiners };
  const keeps = (await readAttachments(host, owner)).every((network) => network.keeps);
  return { owner: { containerId: owner.Id, name: owner.Name.replace(/^\//, ""), keeps }, joiners };
}
