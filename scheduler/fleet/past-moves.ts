import type { MigrationRecord, RoundEntry, Stage } from "../../platform/migration-record.js";
import { type Lessons, learnCosts, type PastMove } from "../../policies/cost/learn.js";
import type { MigrationMode } from "../../policies/types.js";

/** Between these the bytes cross: before lies waiting and looking, after it the destination's own work. */
const FIRST_BYTE: Stage = "prepare";
const LAST_BYTE: Stage = "restore";
/** Between these a cold move waits for the program's end. */
const STANDS_STILL: Stage = "freeze";
const SAVED: Stage = "transfer";

let known: { readonly records: readonly MigrationRecord[]; readonly lessons: Lessons } | null = null;

/** What the closed records, newest first, teach. The same list teaches the same, so it is read once. */
export function learnFromRecords(records: readonly MigrationRecord[]): Lessons {
  const isSame = known !== null && known.records.length === records.length && known.records[0] === records[0];
  if (known === null || !isSame) known = { records, lessons: learnCosts(records.flatMap((record) => describePast(record) ?? [])) };
  return known.lessons;
}

/** What was sent of a workload's memory: ahead of the freeze, in it, and after it. */
const MEMORY_KINDS = ["precopy", "memory", "pages"];

function describePast({
  workload,
  from,
  to,
  result,
  bytes,
  timeline,
  modeUsed,
  blackoutSeconds,
  rounds,
  forecast,
}: MigrationRecord): PastMove | null {
  if (result !== "succeeded") return null;
  const at = (wanted: Stage) => timeline.find(({ stage }) => stage === wanted)?.at ?? null;
  const precopy = forecast?.others.find(({ mode }) => mode === "precopy");
  const [first, last] = [at(FIRST_BYTE), at(LAST_BYTE)];
  const [frozen, saved] = [at(STANDS_STILL), at(SAVED)];
  const stopSeconds = modeUsed !== "cold" || frozen === null || saved === null ? null : saved - frozen;
  const filesBefore = (stage: Stage) => timeline.find((entry) => entry.stage === stage)?.bytes?.["files"] ?? 0;
  return {
    workload,
    from,
    to,
    bytes: Object.values(bytes).reduce((sum, count) => sum + count, 0),
    fileBytes: bytes["files"] ?? 0,
    memoryBytes: MEMORY_KINDS.reduce((sum, kind) => sum + (bytes[kind] ?? 0), 0),
    // While a program ends nothing crosses.
    seconds: first === null || last === null ? null : last - first - (stopSeconds ?? 0),
    mode: modeUsed as MigrationMode | null,
    blackoutSeconds,
    dirtyBytesPerSecond: meanDirtyRate(rounds),
    frozenFileBytes: frozen === null || last === null ? null : filesBefore(LAST_BYTE) - filesBefore(STANDS_STILL),
    stopSeconds,
    ...(precopy && { whyNoPrecopy: precopy.whyNot }),
  };
}

/** Over all rounds of which the next has told what was written meanwhile, each by its length. Null: there is none. */
function meanDirtyRate(rounds: readonly RoundEntry[]): number | null {
  let [bytes, seconds] = [0, 0];
  for (const round of rounds) {
    if (round.dirtyBytesPerSecond === null) continue;
    bytes += round.dirtyBytesPerSecond * round.seconds;
    seconds += round.seconds;
  }
  return seconds > 0 ? bytes / seconds : null;
}
