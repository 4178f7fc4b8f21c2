import { setTimeout as delay } from "node:timers/promises";

/**
 * Runs the task at start + n * interval until aborted. Runs never overlap: one that takes longer than the interval makes the
 * turns it covered fall out, and the later ones keep to the grid. The task must not throw.
 */
export async function runEvery(intervalSeconds: number, task: () => Promise<void>, signal: AbortSignal): Promise<void> {
  const start = performance.now();
  const interval = intervalSeconds * 1000;
  while (!signal.aborted) {
    await task();
    const turn = Math.floor((performance.now() - start) / interval) + 1;
    await delay(start + turn * interval - performance.now(), undefined, { signal }).catch(() => {});
  }
}
