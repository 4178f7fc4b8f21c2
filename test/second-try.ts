import { BY_FILE, type Job } from "./jobs.js";
import type { Tally } from "./tally.js";

/** Where more files than these are red, it is not the machine's doing. */
const MOST_FILES = 3;

/**
 * Runs the files of red tests in the lab once more, each by itself: on a machine that others slow down, a real fleet can miss a deadline. `run` renews
 * what `results` holds of a job. Returns the failures of files that were green then: they are worth a look all the same, so the summary names them.
 */
export async function tryAgain(
  results: ReadonlyMap<Job, Tally>,
  run: (job: Job) => Promise<void>,
  isOver: () => boolean,
): Promise<string[]> {
  const red = [...results].filter(([, { failures }]) => failures.length > 0);
  if (red.length > MOST_FILES || !red.every(([{ kind }]) => BY_FILE.includes(kind))) return [];
  const unsteady: string[] = [];
  for (const [job, { failures }] of red) {
    if (isOver()) break;
    await run(job);
    if (results.get(job)!.failures.length === 0) unsteady.push(...failures);
  }
  return unsteady;
}
