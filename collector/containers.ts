import { readFile } from "node:fs/promises";
import type Docker from "dockerode";
import { joinedBy } from "../platform/joined-by.js";
import { type Bond, boundBy, type Listed, namedVolumes } from "./bound-by.js";
import { groupBySharedNamespaces } from "./shared-namespaces.js";

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
  /** The same for its IPC namespace. */
  readonly ipcOf: string | null;
  /** Names of those that it is attached to itself. */
  readonly networks: readonly string[];
  /** Names of its volumes, but for those that nobody has named. */
  readonly volumes: readonly string[];
  /** What of its mounts keeps it on the node; empty = nothing that Docker tells. */
  readonly boundBy: readonly Bond[];
  readonly labels: Readonly<Record<string, string>>;
}

/** Docker's clock is zeroed for a container that never ran. */
const NEVER_STARTED = "0001-01-01T00:00:00Z";
/** As Docker's list calls what has no process and is not about to have one; of any other word the inspection tells. */
const ENDED: ReadonlySet<string> = new Set(["created", "exited", "dead", "removing"]);

/** A node may keep any number of containers that have ended, and each sample tells of them. */
const MOST_ENDED_NAMES = 64;
const LONGEST_NAME = 128;

/** All containers of a node. */
export interface Listing {
  readonly running: readonly Container[];
  /** Names of those that do not run, in order; the first of them where they are many. */
  readonly endedNames: readonly string[];
}

/**
 * Lists what runs and inspects each. Containers that ended in between are left out: they are gone.
 * @throws when the list, or an inspection of one that still exists, failed: half a list would make a node look emptier than it is.
 */
export async function listContainers(docker: Docker, signal: AbortSignal): Promise<Listing> {
  // All of them: one that has ended still has its name, and its volumes, which binds those that share them.
  const listed = await docker.listContainers({ all: true, abortSignal: signal });
  const running = listed.filter(({ State }) => !ENDED.has(State));
  const mountPoints = await readMountPoints();
  const inspected = await Promise.all(running.map(({ Id }) => inspectContainer(docker, Id, { listed, mountPoints }, signal)));
  return { running: groupBySharedNamespaces(inspected.filter((container) => container !== null)), endedNames: namesOfEnded(listed) };
}

/** Of a container's names only its own: with a second slash it is what a linked one calls it. */
function namesOfEnded(listed: readonly Pick<Docker.ContainerInfo, "State" | "Names">[]): string[] {
  const names = listed.flatMap(({ State, Names }) => (ENDED.has(State) ? (Names ?? []).map((name) => name.slice(1)) : []));
  return names
    .filter((name) => !name.includes("/") && name.length <= LONGEST_NAME)
    .sort()
    .slice(0, MOST_ENDED_NAMES);
}

async function readMountPoints(): Promise<ReadonlySet<string>> {
  const text = await readFile("/proc/self/mountinfo", "utf8");
  return new Set(text.split("\n").flatMap((line) => line.split(" ")[4] ?? []));
}

interface Surroundings {
  readonly listed: readonly Listed[];
  readonly mountPoints: ReadonlySet<string>;
}

async function inspectContainer(
  docker: Docker,
  id: string,
  { listed, mountPoints }: Surroundings,
  signal: AbortSignal,
): Promise<Container | null> {
  try {
    const { State, Config, Name, HostConfig, NetworkSettings, Mounts } = await docker.getContainer(id).inspect({ abortSignal: signal });
    if (!State.Running && !State.Restarting) return null;
    return {
      id,
      name: Name.replace(/^\//, ""),
      image: Config.Image,
      state: State.Paused ? "paused" : State.Restarting ? "restarting" : "running",
      pid: State.Pid,
      startedAt: State.StartedAt === NEVER_STARTED ? null : Date.parse(State.StartedAt) / 1000,
      networkOf: joinedBy(HostConfig.NetworkMode),
      ipcOf: joinedBy(HostConfig.IpcMode),
      networks: Object.keys(NetworkSettings?.Networks ?? {}).sort(),
      volumes: namedVolumes(Mounts ?? []),
      boundBy: boundBy(id, Mounts ?? [], Config.Labels ?? {}, listed, mountPoints),
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
