import { readdir } from "node:fs/promises";
import type { NetworkAttachment, WorkloadDescription } from "../engine.js";
import type { DockerHost } from "./docker-host.js";

/** Where this node meets others in a network: the interface, and who speaks there. */
export interface Uplink {
  readonly device: string;
  readonly macAddress: string;
  readonly ipv4Address: string;
}

export interface NetworkInspect {
  readonly Id: string;
  readonly Driver: string;
  readonly Options?: Readonly<Record<string, string>> | null;
}

/** What Docker names the ports that lead to its containers. */
const CONTAINER_PORT = /^veth[0-9a-f]{7}$/;

/** The interfaces of this node by which frames for the workload come in. None for a network that ends at this node. */
export async function uplinksOf(host: DockerHost, description: WorkloadDescription): Promise<Uplink[]> {
  const uplinks = await Promise.all(description.networks.map((network) => uplinksOfNetwork(host, network)));
  return uplinks.flat();
}

async function uplinksOfNetwork(host: DockerHost, { network, keeps, macAddress, ipv4Address }: NetworkAttachment): Promise<Uplink[]> {
  if (macAddress === "" || !keeps) return [];
  const seen = (await host.docker.getNetwork(network).inspect()) as NetworkInspect;
  return (await uplinkDevices(seen)).map((device) => ({ device, macAddress, ipv4Address }));
}

/** The interfaces that lead from the network to other nodes. */
export async function uplinkDevices(network: NetworkInspect): Promise<string[]> {
  const parent = network.Options?.["parent"];
  if (network.Driver === "macvlan") return parent === undefined ? [] : [parent];
  return network.Driver === "bridge" ? bridgeUplinks(bridgeName(network)) : [];
}

export function bridgeName({ Id, Options }: NetworkInspect): string {
  return Options?.["com.docker.network.bridge.name"] ?? `br-${Id.slice(0, 12)}`;
}

/** The bridge's ports that do not lead to a container. */
async function bridgeUplinks(bridge: string): Promise<string[]> {
  const ports = await readdir(`/sys/class/net/${bridge}/brif`).catch(() => []);
  return ports.filter((port) => !CONTAINER_PORT.test(port));
}
