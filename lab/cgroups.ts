import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { waitFor } from "./deadline.js";
import { labsGroup, RUN_FOLDER } from "./folders.js";
import { withLock } from "./kernel-lock.js";

/** A mounted cgroup hierarchy of the host. A hybrid host has several of version 1 and one of version 2 without controllers. */
export interface Hierarchy {
  readonly version: 1 | 2;
  readonly controllers: readonly string[];
  readonly mountPoint: string;
}

export interface Size {
  readonly cpuCores?: number;
  readonly memoryBytes?: number;
}

/** Short, so that a confined node is slowed evenly, not stopped for a tenth of a second at a time. */
const CPU_PERIOD_MICROSECONDS = 20_000;
const CONTROLLERS = [
  "cpu",
  "cpuacct",
  "cpuset",
  "memory",
  "devices",
  "freezer",
  "blkio",
  "io",
  "pids",
  "perf_event",
  "net_cls",
  "net_prio",
  "hugetlb",
  "rdma",
  "misc",
];

/** Hierarchies in the text of /proc/self/mountinfo, each once. */
export function readHierarchies(mountInfo: string): Hierarchy[] {
  const found = new Map<string, Hierarchy>();
  for (const line of mountInfo.split("\n")) {
    const [mount, source] = line.split(" - ");
    const [, , device, root, mountPoint] = mount?.split(" ") ?? [];
    const [type, , superOptions] = source?.split(" ") ?? [];
    if (!device || !mountPoint || root !== "/" || found.has(device)) continue;
    if (type === "cgroup2") {
      const path = join(mountPoint, "cgroup.controllers");
      const controllers = existsSync(path) ? readFileSync(path, "utf8").trim().split(" ").filter(Boolean) : [];
      found.set(device, { version: 2, controllers, mountPoint });
    } else if (type === "cgroup") {
      const controllers = (superOptions ?? "").split(",").filter((option) => CONTROLLERS.includes(option));
      found.set(device, { version: 1, controllers, mountPoint });
    }
  }
  return [...found.values()];
}

export function hostHierarchies(): Hierarchy[] {
  return readHierarchies(readFileSync("/proc/self/mountinfo", "utf8"));
}

/**
 * A machine's cgroup in every hierarchy. `start`: cgroup.procs files its first process enters; `enter`: those for later processes,
 * which differ where version 2 is alone: there a cgroup that hands controllers down may hold no process itself.
 */
export interface MachineGroup {
  readonly start: readonly string[];
  readonly enter: readonly string[];
}

/** The folder that all labs share goes with the last of them: not while another makes its own there. */
function withSharedFolder<T>(work: () => Promise<T>): Promise<T> {
  return withLock(join(RUN_FOLDER, `${labsGroup()}.groups.lock`), work);
}

/** Makes evenkeel-lab/<lab>/<machine> in every hierarchy and sets its limits. */
export async function createGroup(lab: string, machine: string, size: Size): Promise<MachineGroup> {
  return withSharedFolder(() => makeFolders(lab, machine, size));
}

async function makeFolders(lab: string, machine: string, size: Size): Promise<MachineGroup> {
  const start: string[] = [];
  const enter: string[] = [];
  const hierarchies = hostHierarchies();
  const isUnified = hierarchies.every((hierarchy) => hierarchy.version === 2);
  for (const hierarchy of hierarchies) {
    let path = hierarchy.mountPoint;
    for (const part of [labsGroup(), lab, machine]) {
      if (isUnified) await handDown(path, hierarchy);
      const parent = path;
      path = join(path, part);
      await mkdir(path, { recursive: true });
      if (hierarchy.version === 1 && hierarchy.controllers.includes("cpuset")) await inheritCpuset(parent, path);
    }
    await limit(path, hierarchy, size);
    start.push(join(path, "cgroup.procs"));
    if (isUnified) await mkdir(join(path, "init"), { recursive: true });
    enter.push(isUnified ? join(path, "init", "cgroup.procs") : join(path, "cgroup.procs"));
  }
  return { start, enter };
}

async function handDown(path: string, hierarchy: Hierarchy): Promise<void> {
  for (const controller of hierarchy.controllers) {
    await writeFile(join(path, "cgroup.subtree_control"), `+${controller}`).catch(() => undefined);
  }
}

/** A new cpuset is empty, and nothing may enter an empty one. */
async function inheritCpuset(parent: string, path: string): Promise<void> {
  for (const name of ["cpuset.cpus", "cpuset.mems"]) {
    if ((await readFile(join(path, name), "utf8")).trim() === "") await writeFile(join(path, name), await readFile(join(parent, name)));
  }
}

async function limit(path: string, { version, controllers }: Hierarchy, { cpuCores, memoryBytes }: Size): Promise<void> {
  const write = (name: string, value: string | number) => writeFile(join(path, name), String(value));
  if (cpuCores !== undefined && controllers.includes("cpu")) {
    const quota = Math.round(cpuCores * CPU_PERIOD_MICROSECONDS);
    if (version === 2) await write("cpu.max", `${quota} ${CPU_PERIOD_MICROSECONDS}`);
    else {
      await write("cpu.cfs_period_us", CPU_PERIOD_MICROSECONDS);
      await write("cpu.cfs_quota_us", quota);
    }
  }
  if (memoryBytes !== undefined && controllers.includes("memory")) {
    await write(version === 2 ? "memory.max" : "memory.limit_in_bytes", memoryBytes);
  }
}

function groupFolders(lab: string): string[] {
  return hostHierarchies()
    .map((hierarchy) => join(hierarchy.mountPoint, labsGroup(), lab))
    .filter((path) => existsSync(path));
}

/** Deepest first. */
function subtree(path: string): string[] {
  const children = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...children.flatMap((child) => subtree(join(path, child.name))), path];
}

function listSubtree(path: string): string[] {
  try {
    return subtree(path);
  } catch {
    // Docker removes its cgroups while they are being listed.
    return existsSync(path) ? [path] : [];
  }
}

function processesOf(path: string): number[] {
  try {
    return readFileSync(join(path, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Host numbers of all processes that are counted under the lab, whichever hierarchy says so. */
export function processesOfLab(lab: string): number[] {
  return [...new Set(groupFolders(lab).flatMap(listSubtree).flatMap(processesOf))].filter((pid) => pid > 0);
}

export function labsWithGroups(): string[] {
  const names = hostHierarchies()
    .map((hierarchy) => join(hierarchy.mountPoint, labsGroup()))
    .filter((path) => existsSync(path))
    .flatMap((path) => readdirSync(path, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
  return [...new Set(names)];
}

/** Kills all that is counted under the lab, and waits until it is gone. */
export async function killGroup(lab: string): Promise<void> {
  await waitFor(`the processes of lab ${lab} to end`, 90, async () => {
    for (const path of groupFolders(lab)) await writeFile(join(path, "cgroup.kill"), "1").catch(() => undefined);
    // A process in a frozen cgroup of version 1 does not even die.
    for (const path of groupFolders(lab).flatMap(listSubtree))
      await writeFile(join(path, "freezer.state"), "THAWED", { flag: "r+" }).catch(() => undefined);
    const left = processesOfLab(lab);
    for (const pid of left) kill(pid);
    return left.length === 0;
  });
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself.
  }
}

/** Removes the lab's cgroups, and the folder above once no other lab is left. */
export async function removeGroup(lab: string): Promise<void> {
  await waitFor(`the cgroups of lab ${lab} to be removed`, 30, async () => {
    for (const path of groupFolders(lab).flatMap(listSubtree)) await rmdir(path).catch(() => undefined);
    return groupFolders(lab).length === 0;
  });
  await withSharedFolder(async () => {
    for (const hierarchy of hostHierarchies()) await rmdir(join(hierarchy.mountPoint, labsGroup())).catch(() => undefined);
  });
}
