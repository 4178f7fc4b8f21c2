import { nowSeconds } from "../../platform/clock.js";
import type { Checkpoint, Dump, WorkloadDescription } from "../engine/engine.js";
import { flushTrees } from "../flush-trees.js";
import type { TwinAnswer } from "../peer/protocol.js";
import { isThere, lookAt, NOT_THERE } from "./look-at-tree.js";
import { type MatchedTree, matchTrees, syncOne } from "./matched-trees.js";
import type { Held, Surroundings } from "./migration.js";
import { noteChanged, repeatUnsure, stillUnsure, type UnsureFiles } from "./unsure-files.js";
import { withRetries } from "./with-retries.js";

/** Rounds while the workload runs: the last one is small, so that the one in the freeze is too. */
const RUNNING_ROUNDS_MOST = 4;
const SMALL_ROUND_BYTES = 1 << 20;

/** What the last round while running left: the trees, and what each looked like just before that round; null = cannot be told. */
export interface SyncedTrees {
  readonly trees: readonly MatchedTree[];
  readonly looks: ReadonlyMap<string, string | null>;
  readonly unsure: UnsureFiles;
}

/** One round of all trees while the workload runs, side by side. Returns the bytes sent, and the names of the trees of which not all could be carried. */
async function syncRound(
  surroundings: Surroundings,
  held: Held,
  trees: readonly MatchedTree[],
): Promise<{ bytes: number; incomplete: readonly string[] }> {
  const rounds = await Promise.all(
    trees.map(async (each) => {
      const done = await withRetries(surroundings, held, () => syncOne(surroundings, held, each, { final: false }));
      if (done.missed !== null) held.log.warn({ rsync: done.missed }, "not all of a tree could be carried; it is tried again");
      return { name: each.tree.name, ...done };
    }),
  );
  return {
    bytes: rounds.reduce((total, { bytes }) => total + bytes, 0),
    incomplete: rounds.filter(({ missed }) => missed !== null).map(({ name }) => name),
  };
}

/** Whether a tree is certainly what it was just before its last round; of a workload without a log that is. */
export async function isAsBefore({ trees, looks }: SyncedTrees, name: string): Promise<boolean> {
  const matched = trees.find(({ tree }) => tree.name === name);
  if (matched === undefined) return true;
  const before = looks.get(name) ?? null;
  return before !== null && (await lookAt(matched.tree)) === before;
}

/** Looks at the workload's files when its threads stand still: a dump makes and removes folders of its own among them afterwards (CRIU, for each tmpfs). */
export function lookWhenStill(synced: SyncedTrees) {
  const thoseAsBefore = async (names: readonly string[]) => {
    const each = await Promise.all(names.map(async (name) => ((await isAsBefore(synced, name)) ? [name] : [])));
    return each.flat();
  };
  // Not the log: what was printed may be on its way there.
  const inside = synced.trees.filter(({ tree }) => tree.mountedAt !== undefined).map(({ tree }) => tree.name);
  let atStill: Promise<readonly string[]> = Promise.resolve([]);
  return {
    onStill: () => {
      atStill = thoseAsBefore(inside);
    },
    /** The trees that certainly have not changed, once the dump is whole. */
    asBefore: async ({ madeNames }: Pick<Dump, "madeNames">): Promise<ReadonlySet<string>> => {
      const known = madeNames ? [] : await atStill;
      const others = synced.trees.map(({ tree }) => tree.name).filter((name) => !known.includes(name));
      return new Set([...known, ...(await thoseAsBefore(others))]);
    },
  };
}

/** All of a tree, in the freeze. */
async function syncWhole(surroundings: Surroundings, held: Held, each: MatchedTree): Promise<void> {
  try {
    await syncOne(surroundings, held, each, { final: true });
  } catch (error) {
    // The engine is not frozen: what it was packing it has packed now.
    if (each.tree.isPassing !== true || isThere(each.tree)) throw error;
  }
}

/**
 * The round in the freeze: the trees that changed since the last one, and every file that the workload has mapped writable. Returns the names of
 * those. `asBefore`: what certainly has not changed, and cannot any more.
 */
export async function syncFrozen(
  surroundings: Surroundings,
  held: Held,
  checkpoint: Checkpoint,
  { trees, unsure }: SyncedTrees,
  asBefore: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  // A log may have been rotated away.
  const changed = trees.filter(({ tree }) => !asBefore.has(tree.name) && isThere(tree));
  const [mapped, left] = await Promise.all([
    checkpoint.mappedFiles(trees.map(({ tree }) => tree)),
    stillUnsure(trees, unsure),
    ...changed.map((each) => syncWhole(surroundings, held, each)),
  ]);
  const sent = new Set(changed.map(({ tree }) => tree.name));
  for (const each of trees) {
    const { name } = each.tree;
    const only = [...new Set([...(mapped.get(name) ?? []), ...(left.get(name) ?? [])])];
    if (only.length === 0) continue;
    await syncOne(surroundings, held, each, { final: true, only });
    sent.add(name);
  }
  return sent;
}

/**
 * Brings the files across while the workload runs, until a round is small or stops shrinking. `fileBytes`: what the first has to carry; null = only rsync knows.
 * `before`: what earlier rounds of the same move left.
 */
export async function syncWhileRunning(
  surroundings: Surroundings,
  held: Held,
  {
    description,
    twin,
    fileBytes,
    before,
  }: { description: WorkloadDescription; twin: TwinAnswer; fileBytes: number | null; before?: SyncedTrees },
): Promise<SyncedTrees> {
  const all = matchTrees(await surroundings.engine.trees(description), twin.trees);
  // The others are carried in the freeze, if they are there then: never looked at, they count as changed.
  const lasting = all.filter(({ tree }) => tree.isPassing !== true);
  const looks = new Map<string, string | null>();
  // What neither size nor time told of then, they do not tell of now.
  let unsure: UnsureFiles = before?.unsure ?? new Map();
  let previous = Number.POSITIVE_INFINITY;
  for (let round = 0; round < RUNNING_ROUNDS_MOST; round++) {
    const beganAt = nowSeconds();
    // Written pages of mapped files are cleaned first, so that a later write through the mapping moves the file's time again.
    await flushTrees(all.map(({ tree }) => tree).filter(isThere));
    for (const { tree } of lasting) looks.set(tree.name, await lookAt(tree));
    // A log that comes to be after this is carried by a later round.
    const trees = lasting.filter(({ tree }) => looks.get(tree.name) !== NOT_THERE);
    // What a later round has to send, only rsync knows.
    held.live.expect({
      stage: "prepare",
      kind: "files",
      totalBytes: round === 0 && !held.outlet.compresses ? fileBytes : null,
      round: round + 1,
      note: "files",
    });
    const { bytes, incomplete } = await syncRound(surroundings, held, trees);
    // Whatever it looks like later, it has to be synchronised in the freeze, where nothing may be left behind.
    for (const name of incomplete) looks.set(name, null);
    unsure = await noteChanged(all, unsure, beganAt);
    if (bytes < SMALL_ROUND_BYTES || bytes > previous / 2) break;
    previous = bytes;
  }
  unsure = await repeatUnsure(surroundings, held, all, unsure);
  await withRetries(surroundings, held, () => held.peer.flush(held.record.id));
  return { trees: all, looks, unsure };
}
