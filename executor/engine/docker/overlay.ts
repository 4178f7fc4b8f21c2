import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Those that say what is laid over what; the kernel shows others that it does not take back. */
const OPTIONS = ["lowerdir", "upperdir", "workdir", "userxattr"];

/** By the newer interface mount(8) gives the kernel no more than 255 bytes of a list of layers (util-linux/util-linux#2287): four of Docker's. */
const MOUNT_ENV = { ...process.env, LIBMOUNT_FORCE_MOUNT2: "always" };

export async function isOverlayMounted(point: string): Promise<boolean> {
  return overlayOptions(await readFile("/proc/self/mountinfo", "utf8"), point) !== null;
}

/**
 * Mounts an overlay anew with the same layers. What is written to a layer behind a mounted overlay's back may never show in it: names that were looked up
 * are remembered (Documentation/filesystems/overlayfs, "changes to underlying filesystems"). Only where nobody uses it yet.
 */
export async function remountOverlay(point: string): Promise<void> {
  const mountinfo = await readFile("/proc/self/mountinfo", "utf8");
  const options = overlayOptions(mountinfo, point);
  if (options === null) throw new Error(`no overlay is mounted at ${point}`);
  const bound = otherPoints(mountinfo, point);
  for (const each of [...bound, point]) await run("umount", [each]);
  // Docker gives the layers by paths relative to its folder of them when there are many.
  await run("mount", ["-i", "-t", "overlay", "-o", options, "overlay", point], { cwd: dirname(dirname(point)), env: MOUNT_ENV });
  for (const each of bound) await run("mount", ["--bind", point, each]);
}

/** Where else the file system of a mount point is mounted as a whole: runc does so for CRIU. */
export function otherPoints(mountinfo: string, point: string): string[] {
  const mounts = mountinfo.split("\n").map((line) => line.split(" "));
  const device = mounts.findLast((fields) => fields[4] === point)?.[2];
  return mounts.flatMap(([, , of, , at]) => (of === device && at !== undefined && at !== point ? [at] : []));
}

/** Options that make the newest overlay on that point; null = there is none. @param mountinfo see proc(5) */
export function overlayOptions(mountinfo: string, point: string): string | null {
  const line = mountinfo.split("\n").findLast((each) => each.split(" ")[4] === point);
  const [type, , options = ""] = line?.split(" - ")[1]?.split(" ") ?? [];
  if (type !== "overlay") return null;
  return options
    .split(",")
    .filter((option) => OPTIONS.includes(option.split("=")[0] ?? ""))
    .join(",");
}
