import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Runs `work` while holding an exclusive lock on the file. The kernel holds it for a child process that ends with this one,
 * so that a killed holder leaves no stale lock.
 */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const holder = spawn("flock", [path, "sh", "-c", "echo held; exec cat"], { stdio: ["pipe", "pipe", "inherit"], detached: true });
  const [first] = await Promise.race([once(holder.stdout, "data"), once(holder, "exit")]);
  if (!Buffer.isBuffer(first)) throw new Error(`cannot lock ${path}: flock ended with ${String(first)}`);
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await once(holder, "exit");
  }
}
