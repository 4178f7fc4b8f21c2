import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { readUsedLimits } from "../../preflight/kernel-limits.js";
import { readMembers } from "../../preflight/members.js";
import { readOwnMemory } from "../../preflight/own-memory.js";
import { readHugePageBytes } from "../../preflight/process-findings.js";
import type { Needs, WorkloadDescription } from "../engine.js";
import { type DockerConfig, type Inspection, inspect } from "./describe.js";
import { type DockerHost, isNotFound } from "./docker-host.js";
import { readInitDigest } from "./docker-init.js";
import { readHostFiles } from "./host-files.js";
import { layersOf } from "./image-layers.js";
import { readNetworkTerms } from "./network-terms.js";
import { readSystemVBytes, sharesIpc } from "./shared-ipc.js";
import { readBoundAddresses } from "./source-networks.js";
import { treesOf } from "./trees.js";
import { findUpperFolder } from "./upper-folder.js";

const run = promisify(execFile);

export async function readNeeds(host: DockerHost, description: WorkloadDescription): Promise<Needs> {
  const seen = await inspect(host, description.containerId);
  const trees = (await findUpperFolder(host, seen)) === null ? [] : (await treesOf(host, seen)).filter(({ file }) => file === undefined);
  const sizes = new Map(await Promise.all(trees.map(async ({ name, path }) => [name, await sizeOf(path)] as const)));
  const rootBytes = sizes.get("rootfs") ?? 0;
  const processes = seen.State.Pid > 0 ? (await readMembers(seen.State.Pid)).tree : [];
  const all = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  return {
    rootBytes,
    volumeBytes: all - rootBytes,
    imageBytes: await imageBytes(host, description.imageId),
    imageLayers: await layersOf(host, description.imageId),
    hugePageBytes: seen.State.Pid > 0 ? await readHugePageBytes(seen.State.Pid) : 0,
    sharedMemoryBytes: sharesIpc(description) ? await readSystemVBytes(seen.State.Pid) : 0,
    ...(await readOwnMemory(processes)),
    memoryLimitBytes: seen.HostConfig.Memory || null,
    ...(await readCovers(seen, description)),
    confinedBy: confinementsOf(seen, description),
    hostFiles: await readHostFiles(seen),
    initDigest: await readInitDigest(seen.State.Pid),
    usedLimits: seen.State.Pid > 0 ? await readUsedLimits(processes) : {},
    usesIPv6: await hasIPv6Sockets(seen.State.Pid),
    networkTerms: await readNetworkTerms(seen, description),
    boundAddresses: await readBoundAddresses(seen.State.Pid, description.networks),
  };
}

/** A kernel without IPv6 makes no such socket, not even one that is to serve IPv4 alone, as most servers have theirs. */
async function hasIPv6Sockets(pid: number): Promise<boolean> {
  const tables = ["tcp6", "udp6", "udplite6", "raw6"].map((name) => readFile(`/proc/${pid}/net/${name}`, "utf8").catch(() => ""));
  // The first line is the table's head.
  return (await Promise.all(tables)).some((text) => text.trimEnd().includes("\n"));
}

/** What it takes on disk, holes not counted. */
async function sizeOf(path: string): Promise<number> {
  // A file that vanishes meanwhile makes du end with 1; the sum is told all the same.
  const { stdout } = await run("du", ["-sxB1", path]).catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? "" }));
  return Number.parseInt(stdout, 10) || 0;
}

async function imageBytes(host: DockerHost, imageId: string): Promise<number | null> {
  try {
    return ((await host.docker.getImage(imageId).inspect()) as { Size: number }).Size;
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}

/** Docker's lists depend on its version and on the machine; what counts is what was really mounted. The twin gets the same lists. */
async function readCovers(seen: Inspection, description: WorkloadDescription): Promise<Pick<Needs, "coveredPaths" | "absentPaths">> {
  const { HostConfig } = description.engineConfig as DockerConfig;
  const listed = [...(HostConfig.MaskedPaths ?? []), ...(HostConfig.ReadonlyPaths ?? [])].filter((path) => /^\/(proc|sys)\//.test(path));
  const text = await readFile(`/proc/${seen.State.Pid}/mountinfo`, "utf8").catch(() => null);
  if (text === null) return { coveredPaths: [], absentPaths: [] };
  const mounted = new Set(text.split("\n").map((line) => line.split(" ")[4]));
  return { coveredPaths: listed.filter((path) => mounted.has(path)), absentPaths: listed.filter((path) => !mounted.has(path)) };
}

function confinementsOf(seen: Inspection, description: WorkloadDescription): string[] {
  const { HostConfig } = description.engineConfig as DockerConfig;
  const { AppArmorProfile, ProcessLabel } = seen as unknown as { AppArmorProfile?: string; ProcessLabel?: string };
  const isFree = (HostConfig.SecurityOpt ?? []).includes("seccomp=unconfined") || HostConfig.Privileged === true;
  return [
    ...(AppArmorProfile !== undefined && AppArmorProfile !== "" && AppArmorProfile !== "unconfined" ? ["apparmor"] : []),
    ...(ProcessLabel !== undefined && ProcessLabel !== "" ? ["selinux"] : []),
    ...(isFree ? [] : ["seccomp"]),
  ];
}
