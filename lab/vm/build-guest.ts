import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { cacheFolder } from "../folders.js";
import { ensureTools } from "../host-tools.js";
import { withLock } from "../kernel-lock.js";
import type { Progress } from "../root-file-system.js";
import { GUEST_ENVIRONMENT, GUEST_FILES, GUEST_SCRIPT, guestId } from "./guest-recipe.js";

/**
 * The folder with a guest's kernel (`vmlinuz`), `initramfs`, `disk.ext4` and the `key` that its sshd lets in; made from the root
 * file system now (about half a minute) unless the cache has it.
 */
export async function buildGuest(rootDirectory: string, onProgress: Progress = () => undefined): Promise<string> {
  const id = await guestId(rootDirectory);
  const folder = join(cacheFolder(), id);
  if (existsSync(folder)) return folder;
  return withLock(join(cacheFolder(), `.${id}.lock`), async () => {
    if (existsSync(folder)) return folder;
    onProgress("making the virtual nodes' disk");
    await ensureTools({ "mkfs.ext4": "e2fsprogs", unshare: "util-linux" });
    const partial = `${folder}.partial`;
    await rm(partial, { recursive: true, force: true });
    const made = await execa(
      "setpriv",
      ["--pdeathsig", "KILL", "--", "unshare", "--mount", "--", "bash", GUEST_SCRIPT, rootDirectory, GUEST_FILES, partial],
      { reject: false, all: true, env: GUEST_ENVIRONMENT },
    );
    if (made.exitCode !== 0) throw new Error(`the virtual nodes' disk could not be made:\n${made.all.split("\n").slice(-15).join("\n")}`);
    await rename(partial, folder);
    return folder;
  });
}
