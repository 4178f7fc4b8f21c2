import type Docker from "dockerode";
import { joinedBy } from "../platform/joined-by.js";
import { groupBySharedNetwork } from "./shared-networks.js";

/** What is known of a running container; how much it uses is read from its cgroup. */
export interface Container {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly state: "running" | "paused" | "restarting";
  /** First process, in the node's pid namespace; 0 while restarting. */
  readonly pid: number;
  readonly startedAt: number | null;
  /** The container whose network it has joined (`--network container:…`); null = it has its own. */
  readonly networkOf: string | null;
  /** Names of those that it is attached to itself. */
  readonly networks: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** Docker's clock is zeroed for a container that never ran. */
const NEVER_STARTED = "0001-01-01T00:00:00Z";

/**
 * Lists what runs and inspects each. Containers that ended in between are left out: they are gone.
 * @throws when the list, or an inspection of one that still exists, failed: half a list would make a node look emptier than it is.
 */
export async function listContainers(docker: Docker, signal: AbortSignal): Promise<Container[]> {
  // Without `all` Docker lists running, paused and restarting containers.
  const listed = await docker.listContainers({ abortSignal: signal });
  const inspected = await Promise.all(listed.map(({ Id }) => inspectContainer(docker, Id, signal)));
  return groupBySharedNetwork(inspected.filter((container) => container !== null));
}

async function inspectContainer(docker: Docker, id: string, signal: AbortSignal): Promise<Container | null> {
  try {
    const { State, Config, Name, HostConfig, NetworkSettings } = await docker.getContainer(id).inspect({ abortSignal: signal });
    if (!State.Running && !State.Restarting) return null;
    return {
      id,
      name: Name.replace(/^\//, ""),
      image: Config.Image,
      state: State.Paused ? "paused" : State.Restarting ? "restarting" : "running",
      pid: State.Pid,
      startedAt: State.StartedAt === NEVER_STARTED ? null : Date.parse(State.StartedAt) / 1000,
      networkOf: joinedBy(HostConfig.NetworkMode),
      networks: Object.keys(NetworkSettings?.Networks ?? {}).sort(),
      labels: Config.Labels ?? {},
    };
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return null;
    throw error;
  }
}

/** Names of the networks that exist on the node, in order. @throws when Docker does not tell. */
export async function listNetworks(docker: Docker, signal: AbortSignal): Promise<string[]> {
  const networks = await docker.listNetworks({ abortSignal: signal });
  return [...new Set(networks.map(({ Name }) => Name))].sort();
}
