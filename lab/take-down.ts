import { rm } from "node:fs/promises";
import { killGroup, labsWithGroups, removeGroup } from "./cgroups.js";
import { isLookedAfter, labFolder, labsWithFolders, readRecord } from "./lab-record.js";
import { labsHoldingSysctls, releaseSysctls } from "./sysctls.js";

/**
 * Takes a lab down, whatever state it is in; may be repeated.
 * All of it lives in processes of its cgroups: with them go their namespaces, and with those the mounts, links and routes.
 */
export async function takeDown(lab: string): Promise<void> {
  await killGroup(lab);
  await removeGroup(lab);
  await releaseSysctls(lab);
  await rm(labFolder(lab), { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}

/** Takes down every lab that nobody looks after any more. Returns their names. */
export async function takeDownAbandoned(): Promise<string[]> {
  const names = new Set([...labsWithGroups(), ...(await labsWithFolders()), ...(await labsHoldingSysctls())]);
  const abandoned: string[] = [];
  for (const name of names) {
    if (isLookedAfter(await readRecord(name))) continue;
    await takeDown(name);
    abandoned.push(name);
  }
  return abandoned;
}
