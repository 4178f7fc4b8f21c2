import { mkdir, symlink, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { EvenkeelError } from "../../../platform/errors.js";
import type { OwnerTwin, SharedNetwork } from "../engine.js";

/** The owner is restored so far meanwhile, which takes long where much is in its /dev/shm; past this it hangs. */
const DEADLINE_SECONDS = 600;

/** `answered`: Docker says that it runs, and starts others into its network and IPC namespace. `prepared`: what System V keeps in that is there. */
type Moment = "answered" | "prepared";

/**
 * How far the restores of twins are that others join: Docker starts nobody into a namespace of a container that does not run. In memory alone: a
 * restore does not outlive the executor that conducts it, and what is committed has been answered.
 */
export function makeOwnerStarts() {
  const starts = new Map<string, { readonly come: Promise<void>; reach(): void; fail(cause: Error): void }>();
  const startOf = (owner: string, moment: Moment) => {
    const key = `${owner} ${moment}`;
    const known = starts.get(key);
    if (known !== undefined) return known;
    let reach = () => {};
    let fail: (cause: Error) => void = () => {};
    const come = new Promise<void>((resolve, reject) => {
      reach = resolve;
      fail = reject;
    });
    come.catch(() => {});
    const start = { come, reach, fail };
    starts.set(key, start);
    // Who still asks then asks in vain, whatever has come of it.
    setTimeout(() => starts.delete(key), 2 * DEADLINE_SECONDS * 1000).unref();
    return start;
  };
  return {
    reached: (owner: string, moment: Moment) => startOf(owner, moment).reach(),
    /** It will not get there: nobody waits for it any more. */
    failed(owner: string): void {
      const cause = new EvenkeelError("RESTORE_FAILED", `container ${owner.slice(0, 12)}, which it has joined, is not restored`);
      for (const moment of ["answered", "prepared"] as const) startOf(owner, moment).fail(cause);
    },
    /** @throws RESTORE_FAILED */
    async wait(owner: string, moment: Moment): Promise<void> {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        const words = `container ${owner.slice(0, 12)}, which it has joined, was not ${moment} within ${DEADLINE_SECONDS} s`;
        timer = setTimeout(() => reject(new EvenkeelError("RESTORE_FAILED", words)), DEADLINE_SECONDS * 1000);
      });
      await Promise.race([startOf(owner, moment).come, late]).finally(() => clearTimeout(timer));
    },
  };
}

/** Lets the scripts see who shares a network: `owner` leads to the owner's folder, and its `joiners` has a file for each that is not resumed yet. */
export async function markSharing(folder: string, { joiners }: SharedNetwork, owner: OwnerTwin | null): Promise<void> {
  if (joiners.length > 0) await mkdir(`${folder}/joiners`);
  if (owner === null) return;
  await symlink(owner.folder, `${folder}/owner`);
  await writeFile(`${owner.folder}/joiners/${basename(folder)}`, "");
}
