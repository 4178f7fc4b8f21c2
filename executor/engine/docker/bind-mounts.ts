import { execFile } from "node:child_process";
import { lstat, mkdir, readdir, readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { LABELS } from "../../../collector/protocol.js";
import { type Finding, finding } from "../../../platform/findings.js";
import { foldersAllowed, mayLeaveHost, overlap } from "../../../platform/host-folders.js";
import type { FolderMount } from "../engine.js";
import type { Inspection } from "./describe.js";
import type { DockerHost } from "./docker-host.js";

const run = promisify(execFile);

/** The folders of its host that a container mounts and that its label lets move with it. */
export function movingFolders(seen: Pick<Inspection, "Config" | "Mounts">): FolderMount[] {
  const allowed = foldersAllowed(seen.Config.Labels?.[LABELS.bindMounts]);
  return seen.Mounts.filter((mount) => mount.Type === "bind" && mount.Source !== "" && allowed.has(mount.Source))
    .map((mount) => ({ source: mount.Source, destination: mount.Destination }))
    .sort((a, b) => (a.destination < b.destination ? -1 : 1));
}

/** What stands in the way of moving a container with the folders of its host that it mounts, seen where it runs. */
export async function bindMountFindings(host: DockerHost, seen: Inspection): Promise<Finding[]> {
  const findings: Finding[] = [];
  const moving = new Set(movingFolders(seen).map(({ source }) => source));
  for (const { Source, RW } of seen.Mounts.filter((each) => each.Type === "bind")) {
    if (!moving.has(Source)) {
      // What it may only read is compared with what is at the destination.
      if (RW) findings.push(finding("bind-mount", `It mounts ${Source} of this host and may write to it`));
      continue;
    }
    const isFolder = (await lstat(Source).catch(() => null))?.isDirectory() === true;
    if (!isFolder || !mayLeaveHost(Source)) {
      findings.push(finding("bind-mount-unfit", `${Source} is not a folder that can move away from a host`));
      continue;
    }
    const points = (await readFile("/proc/self/mountinfo", "utf8")).split("\n").map((line) => line.split(" ")[4] ?? "");
    const below = points.find((point) => point.startsWith(`${Source}/`));
    if (below !== undefined) findings.push(finding("bind-mount-mounts", `${below} is a mount of its own in ${Source}`));
    const others = await usersOf(host, Source, seen.Id);
    if (others.length > 0) findings.push(finding("bind-mount-shared", `${Source} is also used by ${others.join(", ")}`));
  }
  return findings;
}

/** Other containers that mount the folder, one above it or one in it. */
async function usersOf(host: DockerHost, folder: string, containerId: string): Promise<string[]> {
  const containers = await host.docker.listContainers({ all: true });
  return containers
    .filter(({ Id, Mounts }) => Id !== containerId && Mounts.some((mount) => mount.Type === "bind" && overlap(mount.Source, folder)))
    .map(({ Names }) => Names[0]?.slice(1) ?? "?");
}

/** What stands in their way where they go to: each round makes a folder equal to its source, and would take away what others have or put there. */
export async function folderFindings(host: DockerHost, folders: readonly FolderMount[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { source } of folders) {
    const users = await usersOf(host, source, "");
    if (users.length > 0) findings.push(finding("bind-mount-taken", `${source} is used here by ${users.join(", ")}`));
    const there = await readdir(source).catch((error: NodeJS.ErrnoException) => (error.code === "ENOENT" ? [] : null));
    if (there?.length === 0) continue;
    findings.push(finding("bind-mount-taken", there === null ? `${source} is no folder here` : `${source} holds something here already`));
  }
  return findings;
}

export async function makeFolders(folders: readonly FolderMount[]): Promise<void> {
  for (const { source } of folders) await mkdir(source, { recursive: true });
}

/**
 * Takes away what moved on, or did not come. The folder itself stays: whoever made it may have given it to somebody. Returns those that a container mounts, in which
 * nothing is touched.
 */
export async function emptyFolders(host: DockerHost, folders: readonly FolderMount[]): Promise<string[]> {
  const used: string[] = [];
  for (const { source } of folders) {
    const isThere = (await lstat(source).catch(() => null)) !== null;
    if (isThere && (await usersOf(host, source, "")).length > 0) used.push(`folder ${source}`);
    else if (isThere) await run("find", [source, "-xdev", "-mindepth", "1", "-delete"]);
  }
  return used;
}
