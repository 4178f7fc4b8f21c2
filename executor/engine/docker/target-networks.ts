import { execFile } from "node:child_process";
import { networkInterfaces } from "node:os";
import { promisify } from "node:util";
import { type Finding, finding } from "../../../platform/findings.js";
import type { Needs, NetworkAttachment, WorkloadDescription } from "../engine.js";
import type { DockerConfig } from "./describe.js";
import type { DockerHost } from "./docker-host.js";
import { type TermsOffered, termFindings } from "./network-terms.js";
import { segmentFindings } from "./segment.js";
import { contains } from "./subnet.js";
import { uplinkDevices } from "./uplinks.js";

const run = promisify(execFile);

export type Listed = Awaited<ReturnType<DockerHost["docker"]["listContainers"]>>;
type FoundNetwork = Awaited<ReturnType<DockerHost["docker"]["listNetworks"]>>[number];

/** Docker gives addresses in this one by itself, and takes no wishes. */
const DEFAULT_BRIDGE = "bridge";

/** What of the workload's networks and ports this node cannot give it. */
export async function targetNetworkFindings(
  host: DockerHost,
  description: WorkloadDescription,
  needs: Needs,
  containers: Listed,
): Promise<Finding[]> {
  const findings = await Promise.all(description.networks.map((wanted) => findingsOfNetwork(host, wanted, needs, containers, description)));
  return [...findings.flat(), ...(await portFindings(description, containers))];
}

/**
 * The networks in which the twin takes whatever address Docker gives it: those that end at a node, where its old address is another's, or of
 * another subnet. Preflight has made sure that nothing is bound to it.
 */
export async function networksWithNewAddress(host: DockerHost, description: WorkloadDescription): Promise<Set<string>> {
  const ending = description.networks.filter((each) => !each.keeps);
  if (ending.length === 0) return new Set();
  const containers = await host.docker.listContainers({ all: true });
  const changed = await Promise.all(
    ending.map(async (wanted) => {
      const network = await findNetwork(host, wanted);
      return network === null || !canGive(network, wanted, containers) ? [wanted.network] : [];
    }),
  );
  return new Set(changed.flat());
}

async function findingsOfNetwork(
  host: DockerHost,
  wanted: NetworkAttachment,
  needs: Needs,
  containers: Listed,
  { status, networks }: WorkloadDescription,
): Promise<Finding[]> {
  if (wanted.driver === "none" || wanted.driver === "host") return [];
  const network = await findNetwork(host, wanted);
  if (network === null) return [finding("network-missing", `No ${wanted.driver} network named ${wanted.network} is here`)];
  if (!wanted.keeps) {
    const bound = [wanted.ipv4Address, wanted.ipv6Address].filter((address) => needs.boundAddresses.includes(address));
    const isStuck = bound.length > 0 && !canGive(network, wanted, containers);
    return isStuck ? [finding("address-bound", `${bound.join(" and ")} in ${wanted.network}`)] : [];
  }
  const inspected = network as unknown as TermsOffered;
  const findings: Finding[] = [];
  if ((await uplinkDevices(inspected)).length === 0)
    findings.push(
      finding("network-differs", `${wanted.network} leads to no other node here: it has no parent, or no port into the segment`),
    );
  else if (status === "running") findings.push(...(await segmentFindings(inspected, wanted, networks)));
  const terms = needs.networkTerms[wanted.network];
  if (terms !== undefined) findings.push(...(await termFindings(inspected, wanted, terms)));
  for (const address of [wanted.ipv4Address, wanted.ipv6Address]) {
    if (!isInside(network, address))
      findings.push(
        finding("network-differs", `${address} is not in ${subnetsOf(network).join(", ") || "any subnet"} of ${wanted.network} here`),
      );
  }
  for (const { code, what, name } of holdersOf(wanted, containers)) findings.push(finding(code, `${what} belongs to ${name} here`));
  return findings;
}

async function findNetwork(host: DockerHost, wanted: NetworkAttachment): Promise<FoundNetwork | null> {
  const networks = await host.docker.listNetworks({ filters: { name: [wanted.network] } });
  return networks.find((each) => each.Name === wanted.network && each.Driver === wanted.driver) ?? null;
}

function canGive(network: FoundNetwork, wanted: NetworkAttachment, containers: Listed): boolean {
  return (
    wanted.network !== DEFAULT_BRIDGE &&
    isInside(network, wanted.ipv4Address) &&
    isInside(network, wanted.ipv6Address) &&
    holdersOf(wanted, containers).length === 0
  );
}

function holdersOf(wanted: NetworkAttachment, containers: Listed) {
  return containers.flatMap((each) => {
    const endpoint = each.NetworkSettings?.Networks?.[wanted.network];
    const name = each.Names[0]?.slice(1);
    return [
      ...(wanted.ipv4Address !== "" && endpoint?.IPAddress === wanted.ipv4Address
        ? [{ code: "address-taken" as const, what: wanted.ipv4Address, name }]
        : []),
      ...(wanted.ipv6Address !== "" && endpoint?.GlobalIPv6Address === wanted.ipv6Address
        ? [{ code: "address-taken" as const, what: wanted.ipv6Address, name }]
        : []),
      ...(wanted.macAddress !== "" && endpoint?.MacAddress === wanted.macAddress
        ? [{ code: "mac-taken" as const, what: wanted.macAddress, name }]
        : []),
    ];
  });
}

const subnetsOf = (network: FoundNetwork) => (network.IPAM?.Config ?? []).flatMap(({ Subnet }) => (Subnet === undefined ? [] : [Subnet]));

function isInside(network: FoundNetwork, address: string): boolean {
  return address === "" || subnetsOf(network).some((subnet) => contains(subnet, address));
}

/** Published ports that are in use here, and host addresses that this node does not have. */
async function portFindings({ engineConfig }: WorkloadDescription, containers: Listed): Promise<Finding[]> {
  const { HostConfig } = engineConfig as DockerConfig;
  const bindings = Object.entries((HostConfig.PortBindings ?? {}) as Record<string, { HostIp?: string; HostPort?: string }[] | null>);
  if (bindings.length === 0) return [];
  const { stdout } = await run("ss", ["-Htuln"]);
  const listening = new Set(
    stdout.split("\n").flatMap((line) => {
      const [kind, , , , local] = line.trim().split(/\s+/);
      return local === undefined ? [] : [`${local.slice(local.lastIndexOf(":") + 1)}/${kind}`];
    }),
  );
  const published = new Set(containers.flatMap((each) => each.Ports.map((port) => `${port.PublicPort}/${port.Type}`)));
  const own = new Set([
    "",
    "0.0.0.0",
    "::",
    ...Object.values(networkInterfaces()).flatMap((each) => each?.map(({ address }) => address) ?? []),
  ]);
  return bindings.flatMap(([inside, outside]) =>
    (outside ?? []).flatMap(({ HostIp = "", HostPort = "" }) => {
      const port = `${HostPort}/${inside.split("/")[1] ?? "tcp"}`;
      if (!own.has(HostIp)) return [finding("port-unavailable", `${HostIp} is not an address of this node`)];
      return listening.has(port) || published.has(port) ? [finding("port-unavailable", `${port} is in use here`)] : [];
    }),
  );
}
