import { findProcess, waitUntilGone } from "./find-process.js";

/** Kills the process whose command line holds all these words, if there is one, and waits until it is gone. */
export async function endProcess(words: readonly string[]): Promise<void> {
  const pid = await findProcess(words);
  if (pid === null) return;
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
  await waitUntilGone(words);
}
