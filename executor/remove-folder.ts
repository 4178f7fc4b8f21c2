import { execFile } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Removes a folder of images and FIFOs with all in it. A CRIU that was killed leaves mounts there; those are let go first. Safe to repeat. */
export async function removeFolder(path: string): Promise<void> {
  const mounts = (await readFile("/proc/self/mountinfo", "utf8"))
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((point) => point.startsWith(`${path}/`));
  // The deepest and newest first.
  for (const point of mounts.reverse()) await run("umount", ["-l", point]);
  await rm(path, { recursive: true, force: true });
}
