import { type Job, mayBegin } from "./jobs.js";

/**
 * Runs all jobs, in their order as far as they may run beside each other, at most `lanes` at once. Ends early, without beginning more,
 * once `isOver` says so. `run` must not throw.
 */
export async function runInLanes(
  jobs: readonly Job[],
  lanes: number,
  run: (job: Job) => Promise<void>,
  isOver: () => boolean,
): Promise<void> {
  const waiting = [...jobs];
  const running = new Map<Job, Promise<void>>();
  while (waiting.length > 0 || running.size > 0) {
    const next = running.size < lanes && !isOver() ? waiting.find((job) => mayBegin(job, [...running.keys()])) : undefined;
    if (next === undefined) {
      if (running.size === 0) return;
      await Promise.race(running.values());
      continue;
    }
    waiting.splice(waiting.indexOf(next), 1);
    running.set(
      next,
      run(next).finally(() => running.delete(next)),
    );
  }
}
