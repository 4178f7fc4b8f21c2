import { access, readFile } from "node:fs/promises";
import { type Finding, type FindingCode, finding } from "../../../platform/findings.js";
import { readKernelLimits, usedLimitFindings } from "../../preflight/kernel-limits.js";
import { hugePageBytes, roomFindings } from "../../preflight/room.js";
import type { Needs, WorkloadDescription } from "../engine.js";
import { folderFindings } from "./bind-mounts.js";
import { RUNTIME } from "./create-options.js";
import { type DockerConfig, readTraits } from "./describe.js";
import type { DockerHost } from "./docker-host.js";
import { initFindings } from "./docker-init.js";
import { hasIPv6 } from "./has-ipv6.js";
import { hostFileFindings } from "./host-files.js";
import { type LimitsOffered, limitFindings, ONLINE_CPUS } from "./limits.js";
import { targetNetworkFindings } from "./target-networks.js";
import { volumeFindings } from "./volumes.js";

/** Where containerd keeps images and what changed of them, unless it is told otherwise; it tells nobody. */
const CONTAINERD_ROOT = "/var/lib/containerd";

/** What would keep this node from taking the workload, found before anything is made. */
export async function targetFindings(
  host: DockerHost,
  description: WorkloadDescription,
  needs: Needs,
  hasImage: boolean,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const add = (code: FindingCode, message: string) => findings.push(finding(code, message));
  const info = (await host.docker.info()) as LimitsOffered & {
    Runtimes?: Record<string, unknown>;
    SecurityOptions?: string[];
    InitBinary?: string;
  };
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
  findings.push(...(await targetNetworkFindings(host, description, needs, containers)));
  findings.push(...(await takenFindings(host, description)));
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
  const { HostConfig } = description.engineConfig as DockerConfig;
  findings.push(
    ...(await hostFileFindings(needs.hostFiles)),
    ...(await initFindings(needs.initDigest, info.InitBinary || "docker-init")),
    ...limitFindings(HostConfig, info, (await readFile(ONLINE_CPUS, "utf8")).trim()),
    ...usedLimitFindings(needs.usedLimits, await readKernelLimits()),
    ...(needs.usesIPv6 && !(await hasIPv6())
      ? [finding("ipv6-missing", "It has sockets of IPv6; the kernel here was booted without")]
      : []),
    ...(await coverFindings(needs)),
  );
  return findings;
}

/** Of what it brings along: what others have here already. */
export async function takenFindings(host: DockerHost, description: WorkloadDescription): Promise<Finding[]> {
  return [...(await volumeFindings(host, description)), ...(await folderFindings(host, description.folders))];
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
