import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { readHugePageBytes } from "../../preflight/process-findings.js";
import type { Needs, WorkloadDescription } from "../engine.js";
import { type DockerConfig, type Inspection, inspect } from "./describe.js";
import { type DockerHost, isNotFound } from "./docker-host.js";
import { readHostFiles } from "./host-files.js";
import { layersOf } from "./image-layers.js";
import { readBoundAddresses } from "./source-networks.js";
import { treesOf } from "./trees.js";
import { findUpperFolder } from "./upper-folder.js";

const run = promisify(execFile);

export async function readNeeds(host: DockerHost, description: WorkloadDescription): Promise<Needs> {
  const seen = await inspect(host, description.containerId);
  const trees = (await findUpperFolder(host, seen)) === null ? [] : (await treesOf(host, seen)).filter(({ file }) => file === undefined);
  const sizes = new Map(await Promise.all(trees.map(async ({ name, path }) => [name, await sizeOf(path)] as const)));
  const rootBytes = sizes.get("rootfs") ?? 0;
  const all = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  return {
    rootBytes,
    volumeBytes: all - rootBytes,
    imageBytes: await imageBytes(host, description.imageId),
    imageLayers: await layersOf(host, description.imageId),
    hugePageBytes: seen.State.Pid > 0 ? await readHugePageBytes(seen.State.Pid) : 0,
    ...(await readCovers(seen, description)),
    confinedBy: confinementsOf(seen, description),
    hostFiles: await readHostFiles(seen),
    boundAddresses: await readBoundAddresses(seen.State.Pid, description.networks),
  };
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
