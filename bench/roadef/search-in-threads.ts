import { Worker } from "node:worker_threads";
import type { SearchModel } from "../../policies/search/model.js";
import type { ThreadTask } from "./search-thread.js";
import { SharedBest } from "./shared-best.js";

export interface ThreadedSearch {
  readonly threads: number;
  readonly seed: number;
  /** Milliseconds of `Date.now()`. */
  readonly startedAt: number;
  readonly deadline: number;
}

/** Time for each workload that full heat is known to cool down in. */
const FULL_HEAT_MS_PER_WORKLOAD = 0.4;

/**
 * Searches in several threads at once, each with its own seed; when there is little time, every other one is milder. They start each reheat from the
 * best that any of them has found.
 */
export async function searchInThreads(model: SearchModel, { threads, seed, startedAt, deadline }: ThreadedSearch): Promise<Int32Array> {
  const board = new SharedBest(model.workloads);
  board.offer(model.start, Number.MAX_VALUE);
  const hasTime = (deadline - startedAt) / model.workloads >= FULL_HEAT_MS_PER_WORKLOAD;
  const running = Array.from({ length: threads }, (_, i) => {
    const task: ThreadTask = {
      model,
      board: board.memory,
      seed: seed + i * 1_000_003,
      heat: hasTime || i % 2 === 0 ? "full" : "mild",
      startedAt,
      deadline,
    };
    return finished(new Worker(new URL("./search-thread.js", import.meta.url), { workerData: task }));
  });
  await Promise.all(running);
  return board.read().assignment;
}

function finished(thread: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    thread.once("error", reject);
    thread.once("exit", () => resolve());
  });
}
