import type Docker from "dockerode";
import { LABELS } from "../../../collector/protocol.js";
import type { WorkloadDescription } from "../engine.js";
import type { DockerConfig, EndpointInspect } from "./describe.js";
import { INTERFACE_NAME_OPTION } from "./interface-names.js";
import { asInspected, volumesToName } from "./volumes.js";

/** The migration that made a container, so that a twin can be found again by an executor that died while making it. */
export const MIGRATION_LABEL = "io.evenkeel.migration";

/** The runtime's name in daemon.json; see executor/README.md. */
export const RUNTIME = "evenkeel";

/**
 * The request that makes a stopped twin of a container. The same image by id (a tag may have moved), the same addresses asked for explicitly,
 * restarts held until the twin is proven to run, and volumes by name, so that anonymous ones keep their identity too.
 * @param owners the twins whose network and IPC namespace it joins
 */
export function toCreateOptions(
  description: WorkloadDescription,
  migrationId: string,
  withNewAddress: ReadonlySet<string> = new Set(),
  owners: { readonly network: string | null; readonly ipc: string | null } = { network: null, ipc: null },
): Docker.ContainerCreateOptions {
  const { Config, HostConfig, Networks, interfaceNames = {}, hasInit, bindsFromOthers = [] } = description.engineConfig as DockerConfig;
  const endpoints = Object.entries(Networks).map(([network, endpoint]) => [
    network,
    {
      ...(withNewAddress.has(network) ? {} : addressesOf(endpoint)),
      ...(endpoint.Aliases ? { Aliases: endpoint.Aliases } : {}),
      ...(endpoint.Links ? { Links: endpoint.Links } : {}),
      ...driverOptsOf(endpoint, interfaceNames[network]),
      ...(endpoint.GwPriority ? { GwPriority: endpoint.GwPriority } : {}),
    },
  ]);
  return {
    ...(owners.network === null ? Config : withoutOwners(Config)),
    name: description.name,
    Image: description.imageId,
    // Docker shows one that was emptied as none, and would take the image's for it.
    Entrypoint: Config.Entrypoint ?? [""],
    Labels: { ...Config.Labels, [LABELS.workload]: description.workload, [MIGRATION_LABEL]: migrationId },
    HostConfig: {
      ...HostConfig,
      ...(owners.network === null ? {} : { NetworkMode: `container:${owners.network}` }),
      ...(owners.ipc === null ? {} : { IpcMode: `container:${owners.ipc}` }),
      Runtime: RUNTIME,
      RestartPolicy: { Name: "no" },
      Binds: [...withVolumes(HostConfig, description), ...bindsFromOthers],
      Mounts: withNames(HostConfig, description),
      // What that gave it is among its volumes and binds; the container that it names may be gone, or another's.
      VolumesFrom: [],
      // Else the destination's daemon.json would decide.
      ...(hasInit === undefined ? {} : { Init: hasInit }),
    },
    NetworkingConfig: { EndpointsConfig: Object.fromEntries(endpoints) },
  } as Docker.ContainerCreateOptions;
}

/** Docker shows them of a container that has joined another's network, yet takes none of them when one is made: they are the owner's, or the image's. */
function withoutOwners(config: DockerConfig["Config"]): Partial<DockerConfig["Config"]> {
  const { Hostname: _name, Domainname: _domain, ExposedPorts: _ports, ...own } = config;
  return own;
}

function driverOptsOf({ DriverOpts }: EndpointInspect, interfaceName: string | undefined) {
  const options = { ...DriverOpts, ...(interfaceName === undefined ? {} : { [INTERFACE_NAME_OPTION]: interfaceName }) };
  return Object.keys(options).length === 0 ? {} : { DriverOpts: options };
}

function addressesOf({ IPAMConfig, IPAddress, GlobalIPv6Address, MacAddress }: EndpointInspect) {
  const given = { ...(IPAddress ? { IPv4Address: IPAddress } : {}), ...(GlobalIPv6Address ? { IPv6Address: GlobalIPv6Address } : {}) };
  return {
    ...(IPAMConfig == null && Object.keys(given).length === 0 ? {} : { IPAMConfig: { ...IPAMConfig, ...given } }),
    ...(MacAddress ? { MacAddress } : {}),
  };
}

/** Volumes that the container got without naming them in Binds or Mounts: by the image's VOLUME lines, or from another container. */
function withVolumes(hostConfig: Docker.HostConfig, description: WorkloadDescription): string[] {
  const binds = hostConfig.Binds ?? [];
  const places = [...binds.map((bind) => bind.split(":")[1] ?? ""), ...(hostConfig.Mounts ?? []).map((mount) => mount.Target)];
  const covered = new Set(places.map(asInspected));
  const missing = volumesToName(description).filter((volume) => !covered.has(volume.destination));
  return [...binds, ...missing.map(({ name, destination, isReadOnly }) => `${name}:${destination}${isReadOnly ? ":ro" : ""}`)];
}

/** A mount that names no volume has got one all the same. */
function withNames({ Mounts = [] }: Docker.HostConfig, description: WorkloadDescription): Docker.HostConfig["Mounts"] {
  const names = new Map(volumesToName(description).map(({ destination, name }) => [destination, name]));
  return (Mounts ?? []).map((mount) => {
    if (mount.Type !== "volume" || mount.Source) return mount;
    return { ...mount, Source: names.get(asInspected(mount.Target)) ?? "" };
  });
}
