import type { MigrationRecord, RoundEntry, Stage } from "../../platform/migration-record.js";
import { type Lessons, learnCosts, type PastMove } from "../../policies/cost/learn.js";

/** Between these the bytes cross: before lies waiting and looking, after it the destination's own work. */
const FIRST_BYTE: Stage = "prepare";
const LAST_BYTE: Stage = "restore";

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
  blackoutSeconds,
  rounds,
  forecast,
}: MigrationRecord): PastMove | null {
  if (result !== "succeeded") return null;
  const at = (wanted: Stage) => timeline.find(({ stage }) => stage === wanted)?.at ?? null;
  const precopy = forecast?.others.find(({ mode }) => mode === "precopy");
  const [first, last] = [at(FIRST_BYTE), at(LAST_BYTE)];
  return {
    workload,
    from,
    to,
    bytes: Object.values(bytes).reduce((sum, count) => sum + count, 0),
    fileBytes: bytes["files"] ?? 0,
    memoryBytes: MEMORY_KINDS.reduce((sum, kind) => sum + (bytes[kind] ?? 0), 0),
    seconds: first === null || last === null ? null : last - first,
    blackoutSeconds,
    dirtyBytesPerSecond: meanDirtyRate(rounds),
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
