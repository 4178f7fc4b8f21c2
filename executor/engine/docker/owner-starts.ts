import { mkdir, symlink, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { EvenkeelError } from "../../../platform/errors.js";
import type { OwnerTwin, SharedNetwork } from "../engine.js";

/** The owner is restored up to its network meanwhile; past this it hangs. */
const ANSWER_DEADLINE_SECONDS = 60;

/**
 * When Docker has answered the starts of twins whose network others join: it starts nobody into the network of a container that does not run. In
 * memory alone: a restore does not outlive the executor that conducts it, and what is committed has been answered.
 */
export function makeOwnerStarts() {
  const starts = new Map<string, { readonly answered: Promise<void>; answer(): void; fail(cause: Error): void }>();
  const startOf = (owner: string) => {
    const known = starts.get(owner);
    if (known !== undefined) return known;
    let answer = () => {};
    let fail: (cause: Error) => void = () => {};
    const answered = new Promise<void>((resolve, reject) => {
      answer = resolve;
      fail = reject;
    });
    answered.catch(() => {});
    const start = { answered, answer, fail };
    starts.set(owner, start);
    // Who still asks then asks in vain, answered or not.
    setTimeout(() => starts.delete(owner), 2 * ANSWER_DEADLINE_SECONDS * 1000).unref();
    return start;
  };
  return {
    answered: (owner: string) => startOf(owner).answer(),
    /** It will not be: nobody waits for it any more. */
    failed: (owner: string) =>
      startOf(owner).fail(
        new EvenkeelError("RESTORE_FAILED", `container ${owner.slice(0, 12)}, whose network it has joined, is not restored`),
      ),
    /** @throws RESTORE_FAILED */
    async wait(owner: string): Promise<void> {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(
          () =>
            reject(
              new EvenkeelError("RESTORE_FAILED", `container ${owner.slice(0, 12)} did not start within ${ANSWER_DEADLINE_SECONDS} s`),
            ),
          ANSWER_DEADLINE_SECONDS * 1000,
        );
      });
      await Promise.race([startOf(owner).answered, late]).finally(() => clearTimeout(timer));
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
