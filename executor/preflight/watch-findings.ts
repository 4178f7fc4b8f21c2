import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Finding, finding } from "../../platform/findings.js";
import { nameOf } from "./members.js";
import type { OpenFile } from "./open-files.js";

/** Where CRIU searches for what is watched on an overlay, whose handles cannot be opened (its criu/irmap.c). The first level of / counts too. */
const SEARCHED = [
  "/etc",
  "/var/spool",
  "/var/log",
  "/usr/share/dbus-1/system-services",
  "/var/lib/polkit-1/localauthority",
  "/usr/share/polkit-1/actions",
  "/lib/udev",
];

/** Watches of inotify and fanotify that CRIU could not find again. On volumes and in memory it knows the paths. */
export async function watchFinding({ pid, descriptor }: OpenFile): Promise<Finding | null> {
  const [info, mounts] = await Promise.all([
    readFile(`/proc/${pid}/fdinfo/${descriptor}`, "utf8").catch(() => ""),
    readFile(`/proc/${pid}/mountinfo`, "utf8").catch(() => ""),
  ]);
  const overlays = new Set(
    [...mounts.matchAll(/^\d+ \d+ (\d+):(\d+) .* - overlay /gm)].map(([, major, minor]) => (Number(major) << 20) | Number(minor)),
  );
  const watched = [...info.matchAll(/^(?:inotify|fanotify) .*?\bino:([0-9a-f]+) sdev:([0-9a-f]+)/gm)]
    .filter(([, , device]) => overlays.has(Number.parseInt(device!, 16)))
    .map(([, inode]) => Number.parseInt(inode!, 16));
  if (watched.length === 0) return null;
  const lost = new Set(watched);
  lost.delete((await lstat(`/proc/${pid}/root/.`)).ino);
  for (const folder of SEARCHED) await strike(`/proc/${pid}/root${folder}`, lost);
  if (lost.size === 0) return null;
  return finding(
    "inotify",
    `${await nameOf(pid)} watches ${lost.size} files or folders of its root file system, where CRIU does not find them again`,
  );
}

/** Takes away the inodes of everything below a folder. */
async function strike(path: string, inodes: Set<number>): Promise<void> {
  if (inodes.size === 0) return;
  const seen = await lstat(path).catch(() => null);
  if (seen === null) return;
  inodes.delete(seen.ino);
  if (!seen.isDirectory()) return;
  for (const name of await readdir(path).catch(() => [])) await strike(join(path, name), inodes);
}
