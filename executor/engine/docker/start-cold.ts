import { setTimeout as delay } from "node:timers/promises";
import { EvenkeelError } from "../../../platform/errors.js";
import { monotonicSeconds } from "../../channel/events.js";
import { removeFolder } from "../../remove-folder.js";
import type { RestoreDone } from "../engine.js";
import { inspect } from "./describe.js";
import type { DockerHost } from "./docker-host.js";
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
  await prepareStart(host.socketPath, containerId).send();
  const resumedAt = monotonicSeconds();
  await delay(LIVES_SECONDS * 1000);
  const { State } = await inspect(host, containerId);
  if (!State.Running)
    throw new EvenkeelError("RESTORE_FAILED", `the program ended within ${LIVES_SECONDS} s of its start: ${State.Status}`);
  return { resumedAt, timeline: { commit: committed - began, started: resumedAt - began } };
}
