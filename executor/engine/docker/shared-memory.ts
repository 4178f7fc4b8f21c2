import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Travels beside CRIU's images: a container's /dev/shm is a mount of the engine's, so CRIU leaves its contents out. */
const ARCHIVE = "evenkeel-shm.tar";

/** Packs what a frozen container holds in /dev/shm, if anything. */
export async function packSharedMemory(containerFolder: string, imagesPath: string): Promise<void> {
  const folder = `${containerFolder}/mounts/shm`;
  if ((await readdir(folder).catch(() => [])).length === 0) return;
  await run("tar", [
    "-c",
    "--format=posix",
    "--sparse",
    "--xattrs",
    "--numeric-owner",
    "-C",
    folder,
    "-f",
    `${imagesPath}/${ARCHIVE}`,
    ".",
  ]);
}

/** Unpacks it into the twin's /dev/shm, which Docker mounts before it asks the runtime to create. */
export async function fillSharedMemory(containerFolder: string, imagesPath: string): Promise<void> {
  if (!existsSync(`${imagesPath}/${ARCHIVE}`)) return;
  await run("tar", ["-x", "--xattrs", "--numeric-owner", "-C", `${containerFolder}/mounts/shm`, "-f", `${imagesPath}/${ARCHIVE}`]);
}
