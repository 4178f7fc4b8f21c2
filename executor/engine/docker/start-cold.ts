import { mkdir, rm, writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { EvenkeelError } from "../../../platform/errors.js";
import { monotonicSeconds } from "../../channel/events.js";
import { removeFolder } from "../../remove-folder.js";
import type { RestoreDone } from "../engine.js";
import { inspect } from "./describe.js";
import type { DockerHost } from "./docker-host.js";
import { RUN_MARK } from "./restore-session.js";
import { prepareStart } from "./start-request.js";

/** A program that cannot live here mostly says so at once; its source may then start again instead. */
const LIVES_SECONDS = 1;

/**
 * An ordinary start of a twin whose files have come. The commit stands before it, for from the start on the copy runs. Safe to repeat. @throws COMMIT_REFUSED, RESTORE_FAILED
 */
export async function startCold(
  host: DockerHost,
  containerId: string,
  folder: string,
  commit: () => Promise<boolean>,
): Promise<RestoreDone> {
  // Without it the runtime has nothing to restore and does what it does for any container.
  await removeFolder(folder);
  const began = monotonicSeconds();
  if (!(await commit())) throw new EvenkeelError("COMMIT_REFUSED", `container ${containerId.slice(0, 12)}`);
  const committed = monotonicSeconds();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(`${folder}/${RUN_MARK}`, "");
  try {
    await prepareStart(host.socketPath, containerId).send();
    const resumedAt = monotonicSeconds();
    await delay(LIVES_SECONDS * 1000);
    const { State } = await inspect(host, containerId);
    if (!State.Running)
      throw new EvenkeelError("RESTORE_FAILED", `the program ended within ${LIVES_SECONDS} s of its start: ${State.Status}`);
    return { resumedAt, timeline: { commit: committed - began, started: resumedAt - began } };
  } catch (error) {
    // Only Docker's word that it does not run gives it back: one that dies here knows nothing of what its container does.
    const mayRun = await inspect(host, containerId).then(
      ({ State }) => State.Running,
      () => true,
    );
    if (!mayRun) await rm(`${folder}/${RUN_MARK}`);
    throw error;
  }
}
