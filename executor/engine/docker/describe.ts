import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type Docker from "dockerode";
import { LABELS } from "../../../collector/protocol.js";
import { EvenkeelError } from "../../../platform/errors.js";
import { joinedBy } from "../../../platform/joined-by.js";
import type { WorkloadDescription } from "../engine.js";
import { readAttachments } from "./attachments.js";
import { movingFolders } from "./bind-mounts.js";
import { type DockerHost, findRuncRoot, isNotFound } from "./docker-host.js";
import { findInit } from "./docker-init.js";
import { readInterfaceNames } from "./interface-names.js";
import { readSharedIpc } from "./shared-ipc.js";
import { readSharedNetwork } from "./shared-network.js";
import { asInspected, readVolumes } from "./volumes.js";

/** Docker's own inspection, narrowed to what a twin is made from. */
export interface DockerConfig {
  readonly Config: Docker.ContainerInspectInfo["Config"];
  readonly HostConfig: Docker.HostConfig;
  readonly Networks: Readonly<Record<string, EndpointInspect>>;
  /** By network, where their order could change. */
  readonly interfaceNames?: Readonly<Record<string, string>>;
  /** Whether Docker's own init is its first process, by whoever's wish; absent where that cannot be seen. */
  readonly hasInit?: boolean;
  /** What --volumes-from gave it of its host, written as for Binds. */
  readonly bindsFromOthers?: readonly string[];
  /** What runc says its stdin, stdout and stderr are; absent where that cannot be read. */
  readonly descriptors?: readonly string[];
}

export interface EndpointInspect {
  readonly IPAMConfig?: { IPv4Address?: string; IPv6Address?: string } | null;
  readonly MacAddress?: string;
  readonly Gateway?: string;
  readonly IPv6Gateway?: string;
  readonly IPAddress?: string;
  readonly GlobalIPv6Address?: string;
  readonly IPPrefixLen?: number;
  readonly GlobalIPv6PrefixLen?: number;
  readonly Aliases?: string[] | null;
  readonly Links?: string[] | null;
  readonly DriverOpts?: Record<string, string> | null;
  /** By which Docker chooses the network of the default route; Docker 28 or newer. */
  readonly GwPriority?: number;
}

export interface Inspection {
  readonly Id: string;
  readonly Name: string;
  readonly Image: string;
  readonly Config: Docker.ContainerInspectInfo["Config"];
  readonly HostConfig: Docker.HostConfig;
  readonly State: {
    readonly Running: boolean;
    readonly Pid: number;
    readonly Status: string;
    readonly ExitCode: number;
    readonly StartedAt: string;
  };
  readonly Mounts: readonly { Type: string; Name?: string; Source: string; Destination: string; Driver?: string; RW: boolean }[];
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, EndpointInspect>> };
  readonly GraphDriver?: { readonly Name: string; readonly Data: Readonly<Record<string, string>> | null };
}

/** Mounts in the order of their places: Docker tells of them in another one each time. @throws WORKLOAD_NOT_FOUND */
export async function inspect(host: DockerHost, containerId: string): Promise<Inspection> {
  try {
    const seen = (await host.docker.getContainer(containerId).inspect()) as unknown as Inspection;
    return { ...seen, Mounts: [...seen.Mounts].sort((one, other) => (one.Destination < other.Destination ? -1 : 1)) };
  } catch (error) {
    if (isNotFound(error)) throw new EvenkeelError("WORKLOAD_NOT_FOUND", `container ${containerId.slice(0, 12)} is gone`, { cause: error });
    throw new EvenkeelError("ENGINE_FAILED", `inspect ${containerId.slice(0, 12)}: ${(error as Error).message}`, { cause: error });
  }
}

export async function describeContainer(host: DockerHost, containerId: string): Promise<WorkloadDescription> {
  const seen = await inspect(host, containerId);
  const ownerId = joinedBy(seen.HostConfig.NetworkMode);
  // Of one that is gone preflight says so.
  const owner = ownerId === null ? null : await inspect(host, ownerId).catch(() => null);
  const descriptors = await readDescriptors(host, containerId);
  const interfaceNames = await readInterfaceNames(seen);
  const config: DockerConfig = {
    Config: seen.Config,
    HostConfig: seen.HostConfig,
    Networks: seen.NetworkSettings.Networks,
    interfaceNames: Object.fromEntries(interfaceNames),
    bindsFromOthers: bindsFromOthers(seen),
    ...descriptors,
    ...(await readInit(seen)),
  };
  return {
    engine: "docker",
    workload: seen.Config.Labels?.[LABELS.workload] ?? seen.Id,
    containerId: seen.Id,
    name: seen.Name.replace(/^\//, ""),
    imageId: seen.Image,
    imageName: seen.Config.Image,
    imageDigests: await readDigests(host, seen.Image),
    networks: await readAttachments(host, seen),
    sharedNetwork: await readSharedNetwork(host, seen, owner),
    sharedIpc: await readSharedIpc(host, seen),
    volumes: await readVolumes(host, seen),
    folders: movingFolders(seen),
    status: seen.State.Status,
    // One that is run with --rm is removed, with its files, as soon as it is stopped.
    allowsCold:
      seen.HostConfig.AutoRemove !== true &&
      [seen.Config.Labels?.[LABELS.mode], seen.Config.Labels?.[LABELS.fallback]].some((value) => value?.trim().toLowerCase() === "cold"),
    engineConfig: config,
    traits: await readTraits(host),
  };
}

/** A container is not asked for it alone: `"init": true` in daemon.json gives it to all that say nothing. */
async function readInit({ State }: Inspection): Promise<Pick<DockerConfig, "hasInit">> {
  const path = await findInit(State.Pid);
  return path === undefined ? {} : { hasInit: path !== null };
}

function bindsFromOthers({ HostConfig, Mounts }: Inspection): string[] {
  if ((HostConfig.VolumesFrom ?? []).length === 0) return [];
  const own = new Set(
    [...(HostConfig.Binds ?? []).map((bind) => bind.split(":")[1] ?? ""), ...(HostConfig.Mounts ?? []).map(({ Target }) => Target)].map(
      asInspected,
    ),
  );
  return Mounts.filter(({ Type, Destination }) => Type === "bind" && !own.has(Destination)).map(
    ({ Source, Destination, RW }) => `${Source}:${Destination}${RW ? "" : ":ro"}`,
  );
}

async function readDescriptors(host: DockerHost, containerId: string): Promise<Pick<DockerConfig, "descriptors">> {
  try {
    const state = await readFile(`${await findRuncRoot(host, containerId)}/${containerId}/state.json`, "utf8");
    const { external_descriptors: descriptors } = JSON.parse(state) as { external_descriptors?: string[] };
    return descriptors === undefined ? {} : { descriptors };
  } catch {
    return {};
  }
}

async function readDigests(host: DockerHost, imageId: string): Promise<readonly string[]> {
  const image = (await host.docker
    .getImage(imageId)
    .inspect()
    .catch(() => null)) as { RepoDigests?: string[] | null } | null;
  return image?.RepoDigests ?? [];
}

/** What must be equal on both ends, else the restored processes would meet another world. */
export async function readTraits(host: DockerHost): Promise<Record<string, string>> {
  const info = (await host.docker.info()) as DockerInfo;
  const isRemapped = (info.SecurityOptions ?? []).some((option) => option.includes("name=userns"));
  return {
    // Docker keeps the containers of each mapping in a folder of its name: /var/lib/docker/100000.100000.
    userNamespaces: isRemapped ? `remapped to ${basename(info.DockerRootDir)}` : "plain",
    storageDriver: info.Driver,
    architecture: info.Architecture,
    cgroups: `version ${info.CgroupVersion}`,
  };
}

export interface DockerInfo {
  readonly SecurityOptions?: readonly string[];
  readonly Driver: string;
  readonly Architecture: string;
  readonly DockerRootDir: string;
  readonly CgroupVersion: string;
  readonly ServerVersion: string;
  readonly Runtimes?: Readonly<Record<string, { readonly path?: string }>>;
}
