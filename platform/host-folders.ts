/** Whoever names one of these, or a top folder, has made a mistake: what moves away is emptied here. */
const NEVER = ["/proc", "/sys", "/dev", "/run", "/boot", "/usr", "/bin", "/sbin", "/lib", "/etc", "/var/lib/docker", "/var/lib/containerd"];

/** The folders of its host that a container's label `io.evenkeel.bind-mounts` lets move with it. */
export function foldersAllowed(label: string | undefined): ReadonlySet<string> {
  return new Set((label ?? "").split(",").map((path) => path.trim().replace(/\/+$/, "")));
}

/** Whether a folder may move away from its host, as far as its path tells. */
export function mayLeaveHost(folder: string): boolean {
  return folder.split("/").length >= 3 && !NEVER.some((path) => folder === path || folder.startsWith(`${path}/`));
}

/** Whether two paths are one, or one of them is in the other. */
export function overlap(path: string, other: string): boolean {
  return path === other || path.startsWith(`${other}/`) || other.startsWith(`${path}/`);
}
