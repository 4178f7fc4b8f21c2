import { type Finding, finding } from "../../../platform/findings.js";
import { joinedBy } from "../../../platform/joined-by.js";
import { namespaceOf } from "../../preflight/members.js";
import type { Companion, WorkloadDescription } from "../engine.js";
import { type DockerConfig, type Inspection, inspect } from "./describe.js";
import type { DockerHost } from "./docker-host.js";
import { memoryFindings } from "./shared-memory-findings.js";

interface Kind {
  readonly mode: "NetworkMode" | "IpcMode";
  /** Of /proc/PID/ns. */
  readonly namespace: "net" | "ipc";
  /** How a message names it. */
  readonly what: string;
  /** The same for that of the host. */
  readonly ofHost: string;
}

const NETWORK: Kind = { mode: "NetworkMode", namespace: "net", what: "network", ofHost: "network" };
const IPC: Kind = { mode: "IpcMode", namespace: "ipc", what: "IPC namespace", ofHost: "shared memory" };

/** What stands in the way of a workload that shares its network or IPC namespace; that all of them are taken is looked at where the move is known. */
export async function sharingFindings(host: DockerHost, description: WorkloadDescription, seen: Inspection): Promise<Finding[]> {
  const { sharedNetwork, sharedIpc } = description;
  const [network, ipc, memory] = await Promise.all([
    shareFindings(host, description, seen, { ...NETWORK, ...sharedNetwork }),
    shareFindings(host, description, seen, { ...IPC, ...sharedIpc }),
    memoryFindings(host, description, seen),
  ]);
  const closed = network.length === 0 && sharedNetwork.owner?.keeps === false;
  return [
    ...network,
    ...(closed ? [finding("connections-closed", `All that it has over the network of ${sharedNetwork.owner.name}`)] : []),
    ...ipc,
    ...memory,
  ];
}

async function shareFindings(
  host: DockerHost,
  description: WorkloadDescription,
  seen: Inspection,
  { mode, namespace, what, ofHost, owner, joiners }: Kind & { readonly owner: Companion | null; readonly joiners: readonly Companion[] },
): Promise<Finding[]> {
  const others = [...(owner === null ? [] : [owner]), ...joiners].map(({ name }) => name).join(", ");
  if (others === "") return [];
  const { HostConfig } = description.engineConfig as DockerConfig;
  if (description.traits["userNamespaces"] !== "plain" && HostConfig.UsernsMode !== "host")
    return [
      finding("shared-namespace", `It shares the ${what} of ${others}, and with it a user namespace, which CRIU cannot restore`, {
        hint: "Run Docker without userns-remap, or create all of them with --userns host.",
      }),
    ];
  if (owner === null) return [];
  const its = await inspect(host, owner.containerId).catch(() => null);
  if (its === null || !its.State.Running)
    return [
      finding("shared-namespace", `It has joined the ${what} of ${owner.name}, which does not run`, { hint: "Start that one first." }),
    ];
  if (its.HostConfig[mode] === "host") return [finding(`host-${mode}`, `It shares the host's ${ofHost}, by way of ${owner.name}`)];
  if (joinedBy(its.HostConfig[mode]) !== null)
    return [
      finding("shared-namespace", `It has joined the ${what} of ${owner.name}, which has joined another's itself`, {
        hint: `Let it join the container whose ${what} it is.`,
      }),
    ];
  const [own, owners] = await Promise.all([namespaceOf(seen.State.Pid, namespace), namespaceOf(its.State.Pid, namespace)]);
  if (own === owners) return [];
  return [
    finding("shared-namespace", `${owner.name} has been restarted, and it is left in the ${what} that was there before`, {
      hint: "Restart it too.",
    }),
  ];
}
