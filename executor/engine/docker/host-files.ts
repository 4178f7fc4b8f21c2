import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, readlink, realpath } from "node:fs/promises";
import { type Finding, finding } from "../../../platform/findings.js";
import type { Needs } from "../engine.js";
import { movingFolders } from "./bind-mounts.js";
import type { Inspection } from "./describe.js";

/** More than a host's settings and certificates are, and read in about a second. */
const ENTRIES_MOST = 10_000;
const BYTES_MOST = 64 << 20;

/** Files and folders of its host that a container may only read, and that do not move with it: its copy finds the same at the destination, or does not go there. */
export async function readHostFiles(seen: Pick<Inspection, "Config" | "Mounts">): Promise<Needs["hostFiles"]> {
  const moving = new Set(movingFolders(seen).map(({ source }) => source));
  const staying = seen.Mounts.filter(({ Type, RW, Source }) => Type === "bind" && !RW && !moving.has(Source));
  return Object.fromEntries(await Promise.all(staying.map(async ({ Source }) => [Source, await digestOf(Source)] as const)));
}

/** Whether the same is here. */
export async function hostFileFindings(hostFiles: Needs["hostFiles"]): Promise<Finding[]> {
  const each = await Promise.all(
    Object.entries(hostFiles).map(async ([path, digest]) => {
      if (digest === null) return [finding("bind-mount", `It mounts ${path} of its host, which cannot be compared with what is here`)];
      return (await digestOf(path)) === digest ? [] : [finding("bind-mount-differs", `${path} is not the same here`)];
    }),
  );
  return each.flat();
}

/**
 * SHA-256, in hex, of a file or of all in a folder: names, kinds, modes, owners, contents; not times. Null: there is nothing, or something that cannot be
 * compared (a socket, a device, more than 10,000 entries or 64 MiB).
 */
async function digestOf(path: string): Promise<string | null> {
  const digest = createHash("sha256");
  try {
    await addEntry(digest, await realpath(path), "", { entries: ENTRIES_MOST, bytes: BYTES_MOST });
  } catch {
    return null;
  }
  return digest.digest("hex");
}

interface Left {
  entries: number;
  bytes: number;
}

async function addEntry(digest: Hash, path: string, name: string, left: Left): Promise<void> {
  const seen = await lstat(path);
  left.entries -= 1;
  const add = (kind: string, size = 0) => digest.update(`${JSON.stringify([kind, name, seen.mode & 0o7777, seen.uid, seen.gid, size])}\n`);
  if (seen.isDirectory()) {
    const names = await readdir(path);
    if (names.length > left.entries) throw new Error(`${path}: too many entries`);
    add("folder");
    for (const each of names.sort()) await addEntry(digest, `${path}/${each}`, `${name}/${each}`, left);
  } else if (seen.isSymbolicLink()) {
    digest.update(`${JSON.stringify(["link", name, await readlink(path)])}\n`);
  } else if (seen.isFile()) {
    left.bytes -= seen.size;
    if (left.bytes < 0) throw new Error(`${path}: too large`);
    add("file", seen.size);
    for await (const chunk of createReadStream(path)) digest.update(chunk as Buffer);
  } else throw new Error(`${path}: neither file nor folder`);
}
