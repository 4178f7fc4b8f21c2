import { workerData } from "node:worker_threads";
import type { SearchModel } from "../../policies/search/model.js";
import { type Heat, Search } from "../../policies/search/search.js";
import { SharedBest } from "./shared-best.js";

/** What a search thread is started with. Instants are milliseconds of `Date.now()`, which all threads share. */
export interface ThreadTask {
  readonly model: SearchModel;
  readonly board: SharedArrayBuffer;
  readonly seed: number;
  readonly heat: Heat;
  readonly startedAt: number;
  readonly deadline: number;
}

/** Threads offer what they have at least so often, so that a thread that dies loses little. */
const OFFER_EVERY_MS = 1000;

function run({ model, board, seed, heat, startedAt, deadline }: ThreadTask): void {
  const shared = new SharedBest(model.workloads, board);
  const search = new Search(model, { seed, heat });
  let offered = Infinity;
  let offeredAt = 0;
  const offer = (now: number): void => {
    offeredAt = now;
    if (search.bestCost >= offered) return;
    offered = search.bestCost;
    shared.offer(search.bestAssignment, search.bestCost);
  };
  for (let now = Date.now(); now < deadline; now = Date.now()) {
    const progress = (now - startedAt) / (deadline - startedAt);
    if (search.startsReheat(progress)) {
      offer(now);
      const best = shared.read();
      search.adopt(best.assignment, best.cost);
    } else if (now - offeredAt >= OFFER_EVERY_MS) offer(now);
    search.advance(progress);
  }
  offer(Date.now());
}

run(workerData as ThreadTask);
