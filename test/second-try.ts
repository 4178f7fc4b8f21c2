import { type Job, WITHOUT_LAB } from "./jobs.js";
import type { Tally } from "./tally.js";

/** Where more files than these are red, it is not the machine's doing. */
const MOST_FILES = 3;

/**
 * Runs files with red tests once more, each by itself: on a machine that others slow down, real programs can miss a deadline. Tests that wait for nobody
 * get no second try. `run` carries out a job; `results` holds what became of each, and is brought up to date. Returns the failures of files that were
 * green then: they are worth a look all the same, so the summary names them.
 */
export async function tryAgain(results: Map<Job, Tally>, run: (job: Job) => Promise<Tally>, isOver: () => boolean): Promise<string[]> {
  const red = [...results].filter(([, { failures }]) => failures.length > 0);
  const files = red.flatMap(([, { redFiles }]) => redFiles);
  // A job of many files that broke off names none.
  if (files.length > MOST_FILES || red.some(([{ kind }, { redFiles }]) => WITHOUT_LAB.includes(kind) || redFiles.length === 0)) return [];
  const unsteady: string[] = [];
  for (const [job, first] of red) {
    if (isOver()) break;
    const again = await run({ name: `${job.name} again`, kind: job.kind, files: first.redFiles });
    if (again.failures.length > 0 || again.passed === 0) continue;
    results.set(job, { ...first, passed: first.passed + first.failures.length, failures: [], redFiles: [] });
    unsteady.push(...first.failures);
  }
  return unsteady;
}
