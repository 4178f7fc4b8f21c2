import { access } from "node:fs/promises";
import { BlockList, isIPv6 } from "node:net";
import { type Finding, type FindingCode, finding } from "../../../platform/findings.js";
import { hugePageBytes, roomFindings } from "../../preflight/room.js";
import type { Needs, NetworkAttachment, WorkloadDescription } from "../engine.js";
import { folderFindings } from "./bind-mounts.js";
import { RUNTIME } from "./create-options.js";
import { readTraits } from "./describe.js";
import type { DockerHost } from "./docker-host.js";

/** Where containerd keeps images and what changed of them, unless it is told otherwise; it tells nobody. */
const CONTAINERD_ROOT = "/var/lib/containerd";

type Listed = Awaited<ReturnType<DockerHost["docker"]["listContainers"]>>;

/** What would keep this node from taking the workload, found before anything is made. */
export async function targetFindings(
  host: DockerHost,
  description: WorkloadDescription,
  needs: Needs,
  hasImage: boolean,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const add = (code: FindingCode, message: string) => findings.push(finding(code, message));
  const info = (await host.docker.info()) as { Runtimes?: Record<string, unknown>; SecurityOptions?: string[] };
  if (info.Runtimes?.[RUNTIME] === undefined) add("runtime-missing", `Docker here does not know the runtime ${RUNTIME}`);
  const here = await readTraits(host);
  for (const [trait, value] of Object.entries(description.traits)) {
    if (here[trait] !== value) add(`differs-${trait}` as FindingCode, `${trait}: ${value} there, ${here[trait]} here`);
  }
  for (const way of needs.confinedBy) {
    if (!(info.SecurityOptions ?? []).some((option) => option.includes(`name=${way}`)))
      add("differs-security", `It is confined by ${way}, which Docker here does not offer`);
  }
  const containers = await host.docker.listContainers({ all: true });
  const namesake = containers.find((each) => each.Names.includes(`/${description.name}`));
  if (namesake !== undefined) add("name-taken", `A container named ${description.name} is here (${namesake.State})`);
  for (const wanted of description.networks) findings.push(...(await networkFindings(host, wanted, containers)));
  const { Volumes } = await host.docker.listVolumes();
  for (const volume of description.volumes) {
    if ((Volumes ?? []).some((each) => each.Name === volume.name)) add("volume-taken", `A volume named ${volume.name} is here already`);
  }
  if (!hasImage && needs.imageBytes === null) add("image-missing", `${description.imageName} is on neither node`);
  const root = await host.rootFolder();
  findings.push(
    ...(await roomFindings([
      {
        folder: here["storageDriver"] === "overlay2" ? `${root}/overlay2` : CONTAINERD_ROOT,
        bytes: needs.rootBytes + (hasImage ? 0 : (needs.imageBytes ?? 0)),
      },
      { folder: `${root}/volumes`, bytes: needs.volumeBytes },
    ])),
  );
  const hugeBytes = needs.hugePageBytes === 0 ? 0 : await hugePageBytes("free_hugepages");
  if (needs.hugePageBytes > hugeBytes)
    add("huge-pages-short", `It has ${needs.hugePageBytes} bytes of huge pages; ${hugeBytes} are free here`);
  findings.push(...(await folderFindings(description.folders)), ...(await coverFindings(needs)));
  return findings;
}

async function networkFindings(host: DockerHost, wanted: NetworkAttachment, containers: Listed): Promise<Finding[]> {
  const networks = await host.docker.listNetworks({ filters: { name: [wanted.network] } });
  const network = networks.find((each) => each.Name === wanted.network && each.Driver === wanted.driver);
  if (network === undefined) return [finding("network-missing", `No ${wanted.driver} network named ${wanted.network} is here`)];
  const findings: Finding[] = [];
  const subnets = (network.IPAM?.Config ?? []).flatMap(({ Subnet }) => (Subnet === undefined ? [] : [Subnet]));
  if (wanted.ipv4Address !== "" && !subnets.some((subnet) => contains(subnet, wanted.ipv4Address)))
    findings.push(
      finding("network-differs", `${wanted.ipv4Address} is not in ${subnets.join(", ") || "any subnet"} of ${wanted.network} here`),
    );
  for (const each of containers) {
    const endpoint = each.NetworkSettings?.Networks?.[wanted.network];
    const name = each.Names[0]?.slice(1);
    if (wanted.ipv4Address !== "" && endpoint?.IPAddress === wanted.ipv4Address)
      findings.push(finding("address-taken", `${wanted.ipv4Address} belongs to ${name} here`));
    if (wanted.macAddress !== "" && endpoint?.MacAddress === wanted.macAddress)
      findings.push(finding("mac-taken", `${wanted.macAddress} belongs to ${name} here`));
  }
  return findings;
}

function contains(subnet: string, address: string): boolean {
  const [network = "", prefix = ""] = subnet.split("/");
  if (isIPv6(network)) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(prefix));
  return list.check(address);
}

async function coverFindings({ coveredPaths, absentPaths }: Needs): Promise<Finding[]> {
  const isHere = async (path: string) =>
    access(path).then(
      () => true,
      () => false,
    );
  const present = new Map(await Promise.all([...coveredPaths, ...absentPaths].map(async (path) => [path, await isHere(path)] as const)));
  const missing = coveredPaths.filter((path) => !present.get(path));
  const bare = absentPaths.filter((path) => present.get(path));
  return [
    ...(missing.length > 0 ? [finding("masked-path-missing", `The kernel here has no ${missing.join(", ")}`)] : []),
    ...(bare.length > 0 ? [finding("path-unmasked", `${bare.join(", ")} would be seen by the container here`)] : []),
  ];
}
