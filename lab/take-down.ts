import { rm, rmdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { killGroup, labsWithGroups, removeGroup } from "./cgroups.js";
import { labsFolder, labsGroup, RUN_FOLDER } from "./folders.js";
import { withLock } from "./kernel-lock.js";
import { isLookedAfter, labFolder, labsWithFolders, readRecord } from "./lab-record.js";
import { labsHoldingSysctls, releaseSysctls } from "./sysctls.js";

/**
 * Takes a lab down, whatever state it is in; may be repeated, and by several at once.
 * All of it lives in processes of its cgroups: with them go their namespaces, and with those the mounts, links and routes.
 */
export async function takeDown(lab: string): Promise<void> {
  // Else a slow guardian could remove the folder of the next lab of that name.
  await withLock(join(RUN_FOLDER, `${labsGroup()}.${lab}.lock`), async () => {
    await killGroup(lab);
    await removeGroup(lab);
    await releaseSysctls(labFolder(lab));
    await rm(labFolder(lab), { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    // Fails while other labs have folders there.
    await rmdir(labsFolder()).catch(() => undefined);
  });
}

/** Takes down every lab that nobody looks after any more. Returns their names. */
export async function takeDownAbandoned(): Promise<string[]> {
  const abandoned = await listAbandoned();
  for (const name of abandoned) await takeDown(name);
  return abandoned;
}

/** Labs of which something is there and nobody looks after. */
export async function listAbandoned(): Promise<string[]> {
  const holding = (await labsHoldingSysctls()).filter((folder) => dirname(folder) === labsFolder()).map((folder) => basename(folder));
  const names = [...new Set([...labsWithGroups(), ...(await labsWithFolders()), ...holding])];
  const lookedAfter = await Promise.all(names.map(async (name) => isLookedAfter(await readRecord(name))));
  return names.filter((_, index) => !lookedAfter[index]);
}
