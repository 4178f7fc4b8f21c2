import { type Finding, finding } from "../../../platform/findings.js";
import { joinedBy } from "../../../platform/joined-by.js";
import { namespaceOf } from "../../preflight/members.js";
import type { WorkloadDescription } from "../engine.js";
import { type DockerConfig, type Inspection, inspect } from "./describe.js";
import type { DockerHost } from "./docker-host.js";

/** What stands in the way of a workload that shares its network or IPC namespace; that all of them are taken is looked at where the move is known. */
export async function sharingFindings(host: DockerHost, description: WorkloadDescription, seen: Inspection): Promise<Finding[]> {
  return [...(await networkFindings(host, description, seen)), ...(await ipcFindings(host, seen))];
}

async function networkFindings(host: DockerHost, description: WorkloadDescription, seen: Inspection): Promise<Finding[]> {
  const { owner, joiners } = description.sharedNetwork;
  const others = [...(owner === null ? [] : [owner]), ...joiners].map(({ name }) => name).join(", ");
  if (others === "") return [];
  const { HostConfig } = description.engineConfig as DockerConfig;
  if (description.traits["userNamespaces"] !== "plain" && HostConfig.UsernsMode !== "host")
    return [
      finding("shared-namespace", `It shares the network of ${others}, and with it a user namespace, which CRIU cannot restore`, {
        hint: "Run Docker without userns-remap, or create all of them with --userns host.",
      }),
    ];
  if (owner === null) return [];
  const its = await inspect(host, owner.containerId).catch(() => null);
  if (its === null || !its.State.Running)
    return [
      finding("shared-namespace", `It has joined the network of ${owner.name}, which does not run`, { hint: "Start that one first." }),
    ];
  if (its.HostConfig.NetworkMode === "host") return [finding("host-NetworkMode", `It shares the host's network, by way of ${owner.name}`)];
  if (joinedBy(its.HostConfig.NetworkMode) !== null)
    return [
      finding("shared-namespace", `It has joined the network of ${owner.name}, which has joined another's itself`, {
        hint: "Let it join the container whose network it is.",
      }),
    ];
  const [own, owners] = await Promise.all([namespaceOf(seen.State.Pid, "net"), namespaceOf(its.State.Pid, "net")]);
  if (own !== owners)
    return [
      finding("shared-namespace", `${owner.name} has been restarted, and it is left in the network that was there before`, {
        hint: "Restart it too.",
      }),
    ];
  return owner.keeps ? [] : [finding("connections-closed", `All that it has over the network of ${owner.name}`)];
}

/** CRIU's images of each would hold all System V objects of the namespace, and whoever is restored second would meet those of the first. */
async function ipcFindings(host: DockerHost, seen: Inspection): Promise<Finding[]> {
  // Nobody can join one that is not shareable, and only the inspection of each container tells who has.
  if (seen.HostConfig.IpcMode !== "shareable") return [];
  const running = await host.docker.listContainers();
  const all = await Promise.all(running.map((each) => inspect(host, each.Id).catch(() => null)));
  const joiners = all.filter((each) => joinedBy(each?.HostConfig.IpcMode) === seen.Id).map((each) => each!.Name.slice(1));
  return joiners.length === 0 ? [] : [finding("shared-namespace", `${joiners.join(", ")} has joined its IPC namespace`)];
}
