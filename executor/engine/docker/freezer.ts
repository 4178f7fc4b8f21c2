import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";

/** Lets a workload go on that was left frozen. Null and failure alike: nothing to thaw, or it is gone. */
export async function thaw(freezer: string | null): Promise<void> {
  if (freezer === null) return;
  const isFirst = existsSync(`${freezer}/freezer.state`);
  await writeFile(`${freezer}/${isFirst ? "freezer.state" : "cgroup.freeze"}`, isFirst ? "THAWED" : "0").catch(() => {});
}

/**
 * The cgroup folder by which a process's container can be frozen: of version 1's freezer hierarchy, else of version 2. Null when it is not to be
 * found: CRIU freezes it then, in its own time.
 */
export async function findFreezer(pid: number, containerId: string): Promise<string | null> {
  const [groups, mounts] = await Promise.all([readFile(`/proc/${pid}/cgroup`, "utf8"), readFile("/proc/self/mountinfo", "utf8")]);
  return freezerOf(groups, mounts, containerId);
}

/**
 * The cgroup of the container, in which its first process may have made one of its own.
 * @param group its path as the kernel tells it
 */
export function containersOwn(group: string, containerId: string): string {
  const segments = group.split("/");
  const at = segments.findIndex((segment) => segment.includes(containerId));
  return at < 0 ? group : segments.slice(0, at + 1).join("/");
}

/** @param groups /proc/<pid>/cgroup @param mounts /proc/self/mountinfo; see proc(5) and cgroups(7) for both. */
export function freezerOf(groups: string, mounts: string, containerId: string): string | null {
  const lines = groups.split("\n").map((line) => line.split(":"));
  const first = lines.find(([, controllers]) => controllers?.split(",").includes("freezer"))?.[2];
  // Beside hierarchies of version 1, version 2 is not what runc names to CRIU: a workload frozen behind CRIU's back could not be dumped.
  const isUnified = !mounts.split("\n").some((line) => line.split(" - ")[1]?.startsWith("cgroup "));
  const unified = lines.find(([number, controllers]) => number === "0" && controllers === "")?.[2];
  const its = first ?? (isUnified ? unified : undefined);
  if (its === undefined) return null;
  const group = containersOwn(its, containerId);
  for (const line of mounts.split("\n")) {
    const [before = "", after = ""] = line.split(" - ");
    const [, , , root = "", point = ""] = before.split(" ");
    const [type, , options = ""] = after.split(" ");
    const fits = first === undefined ? type === "cgroup2" : type === "cgroup" && options.split(",").includes("freezer");
    if (!fits) continue;
    if (root === "/") return `${point}${group}`;
    if (group === root || group.startsWith(`${root}/`)) return `${point}${group.slice(root.length)}`;
  }
  return null;
}
