import { setTimeout as delay } from "node:timers/promises";
import { findProcess } from "./find-process.js";

const LOOK_MILLISECONDS = 20;

/** Kills every process whose command line holds all these words, and waits until none is left. */
export async function endProcess(words: readonly string[]): Promise<void> {
  for (let pid = await findProcess(words); pid !== null; pid = await findProcess(words)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended meanwhile.
    }
    await delay(LOOK_MILLISECONDS);
  }
}
