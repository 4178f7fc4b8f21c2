/**
 * Where the cgroup hierarchies are mounted, and where in them a process is. A machine may use v2 only, v1 only, or both at once
 * ("hybrid": controllers on v1, an empty v2 beside them), so each controller is looked up by itself.
 */
export interface CgroupMount {
  readonly mountPoint: string;
  /** The cgroup that is seen at the mount point; "/" unless it is a bind mount of a part. */
  readonly root: string;
}

export interface CgroupMounts {
  /** By controller: cpu, cpuacct, memory, pids, freezer, blkio … */
  readonly v1: ReadonlyMap<string, CgroupMount>;
  readonly v2: CgroupMount | null;
}

export interface CgroupPlace {
  readonly version: 1 | 2;
  readonly directory: string;
}

/** Reads /proc/self/mountinfo (proc(5)). */
export function parseCgroupMounts(mountinfo: string): CgroupMounts {
  const v1 = new Map<string, CgroupMount>();
  let v2: CgroupMount | null = null;
  for (const line of mountinfo.split("\n")) {
    const [left, right] = line.split(" - ");
    const [, , , root, mountPoint] = left?.split(" ") ?? [];
    const [type, , superOptions] = right?.split(" ") ?? [];
    if (root === undefined || mountPoint === undefined) continue;
    const mount = { mountPoint, root };
    if (type === "cgroup2") v2 ??= mount;
    if (type === "cgroup") {
      for (const option of superOptions?.split(",") ?? []) if (!v1.has(option)) v1.set(option, mount);
    }
  }
  return { v1, v2 };
}

/** Reads /proc/<pid>/cgroup: controller -> path, the v2 path under the empty name. Paths are relative to the reader's cgroup namespace. */
export function parseMemberships(text: string): ReadonlyMap<string, string> {
  const memberships = new Map<string, string>();
  for (const line of text.split("\n").filter((candidate) => candidate !== "")) {
    const [, controllers, ...path] = line.split(":");
    if (controllers === undefined || path.length === 0) throw new Error(`not a cgroup line: ${line.slice(0, 80)}`);
    for (const controller of controllers.split(",")) memberships.set(controller, path.join(":"));
  }
  return memberships;
}

/** The folder of a process for one controller; null when its cgroup is not visible from here. */
export function placeOf(mounts: CgroupMounts, memberships: ReadonlyMap<string, string>, controller: string): CgroupPlace | null {
  const v1 = mounts.v1.get(controller);
  const [mount, path, version] = v1 ? ([v1, memberships.get(controller), 1] as const) : ([mounts.v2, memberships.get(""), 2] as const);
  if (mount === null || path === undefined || path.startsWith("/..")) return null;
  if (mount.root === "/") return { version, directory: join(mount.mountPoint, path) };
  const isBelow = path === mount.root || path.startsWith(`${mount.root}/`);
  return isBelow ? { version, directory: join(mount.mountPoint, path.slice(mount.root.length)) } : null;
}

/** The node's own cgroup: what is mounted at the top, the true root on a plain host, the node's folder inside a cgroup namespace. */
export function nodePlaceOf(mounts: CgroupMounts, controller: string): CgroupPlace | null {
  const v1 = mounts.v1.get(controller);
  if (v1) return { version: 1, directory: v1.mountPoint };
  return mounts.v2 === null ? null : { version: 2, directory: mounts.v2.mountPoint };
}

function join(mountPoint: string, path: string): string {
  return path === "/" || path === "" ? mountPoint : `${mountPoint}${path}`;
}
