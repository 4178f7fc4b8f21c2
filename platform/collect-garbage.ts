import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What may come on top of what is alive before V8 begins to mark again, in percent of that. By itself it begins after 8 MB. */
const ROOM_PERCENT = 200;

/** So soon after another it would find little, and hold up whoever is further on: a group's members follow on each other. */
const REST_MILLISECONDS = 1000;

let collect: (() => void) | null = null;
let collectedAt = Number.NEGATIVE_INFINITY;

/**
 * Collects garbage now, some twenty milliseconds, so that V8 does not begin to in a moment in which a workload stands still: what a migration reads and sends then lies
 * outside of V8's heap, which counts it and would mark everything, on the cores that the freeze needs.
 */
export function collectGarbage(): void {
  if (performance.now() - collectedAt >= REST_MILLISECONDS) collectGarbageNow();
}

/** The same, however short the rest was. */
export function collectGarbageNow(): void {
  if (collect === null) {
    // The function shows only in contexts that are made after the flag.
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as () => void;
  }
  // Read as it decides, at the end of this collection, when to begin the next.
  setFlagsFromString(`--heap-growing-percent=${ROOM_PERCENT}`);
  collect();
  setFlagsFromString("--heap-growing-percent=0");
  collectedAt = performance.now();
}
