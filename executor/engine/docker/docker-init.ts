import { createHash } from "node:crypto";
import { access, constants, readFile } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { type Finding, finding } from "../../../platform/findings.js";

/** Where Docker looks for its own init, in this order (moby, daemon/config: lookupBinPath). */
const FOLDERS = [
  "/usr/local/libexec/docker",
  "/usr/libexec/docker",
  "/usr/local/lib/docker",
  "/usr/lib/docker",
  "/usr/local/libexec",
  "/usr/libexec",
];

/** Docker mounts it at /sbin/docker-init, which leads to another folder in most images. Null = it has not; undefined = that cannot be seen. */
export async function findInit(pid: number): Promise<string | null | undefined> {
  const mounts = await readFile(`/proc/${pid}/mountinfo`, "utf8").catch(() => undefined);
  return mounts === undefined ? undefined : (/ (\/\S*sbin\/docker-init) /.exec(mounts)?.[1] ?? null);
}

/** Of the init that Docker has mounted into a container; null = it has none. */
export async function readInitDigest(pid: number): Promise<string | null> {
  const path = await findInit(pid);
  return path ? digestOf(`/proc/${pid}/root${path}`) : null;
}

/** CRIU restores a process only onto the very program that it was: of another build it finds the size, or the build's id, to be wrong. @param name what `docker info` calls it */
export async function initFindings(digest: string | null, name: string): Promise<Finding[]> {
  if (digest === null) return [];
  const path = await findProgram(name);
  if (path !== null && (await digestOf(path)) === digest) return [];
  return [finding("init-differs", path === null ? `There is no ${name} here` : `${path} is not what it runs`)];
}

async function findProgram(name: string): Promise<string | null> {
  if (isAbsolute(name)) return name;
  for (const folder of [...FOLDERS, ...(process.env["PATH"] ?? "").split(":")]) {
    const path = join(folder, name);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return null;
}

async function digestOf(path: string): Promise<string | null> {
  const content = await readFile(path).catch(() => null);
  return content === null ? null : createHash("sha256").update(content).digest("hex");
}
