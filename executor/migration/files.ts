import { EvenkeelError } from "../../platform/errors.js";
import { type SyncDone, syncTree } from "../channel/rsync-client.js";
import type { Checkpoint, Dump, FileTree, WorkloadDescription } from "../engine/engine.js";
import { flushTrees } from "../flush-trees.js";
import type { TwinAnswer } from "../peer/protocol.js";
import { fingerprint } from "./fingerprint.js";
import type { Held, Surroundings } from "./migration.js";
import { countBytes, countCarried, paceOf } from "./outlet.js";
import { withRetries } from "./with-retries.js";

/** Rounds while the workload runs: the last one is small, so that the one in the freeze is too. */
const RUNNING_ROUNDS_MOST = 4;
const SMALL_ROUND_BYTES = 1 << 20;

export interface MatchedTree {
  readonly tree: FileTree;
  /** The name that a single-file tree has on the other end. */
  readonly remoteFile: string | null;
}

/** What the last round while running left: the trees, and what each looked like just before that round; null = cannot be told. */
export interface SyncedTrees {
  readonly trees: readonly MatchedTree[];
  readonly looks: ReadonlyMap<string, string | null>;
}

/** Trees of both ends matched by name. @throws SYNC_FAILED when the ends disagree on what there is to carry. */
export function matchTrees(here: readonly FileTree[], there: TwinAnswer["trees"]): MatchedTree[] {
  return here.map((tree) => {
    const twin = there.find((each) => each.name === tree.name);
    if (twin === undefined) throw new EvenkeelError("SYNC_FAILED", `the twin has no ${tree.name}`);
    return { tree, remoteFile: twin.file };
  });
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

async function syncOne(
  surroundings: Surroundings,
  held: Held,
  { tree, remoteFile }: MatchedTree,
  round: { final: boolean; only?: readonly string[] },
): Promise<SyncDone> {
  return syncTree(tree, await held.peer.openFiles(held.record.id), {
    ...round,
    remoteFile,
    pace: paceOf(surroundings, round.final),
    isCompressed: held.outlet.compresses,
    onBytes: (bytes) => {
      countBytes(held, "files", bytes);
      countCarried(held, "files", bytes);
    },
  });
}

/** Whether a tree is certainly what it was just before its last round; one that there is not is. */
export async function isAsBefore({ trees, looks }: SyncedTrees, name: string): Promise<boolean> {
  const matched = trees.find(({ tree }) => tree.name === name);
  if (matched === undefined) return true;
  const before = looks.get(name) ?? null;
  return before !== null && (await fingerprint(matched.tree)) === before;
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

/**
 * The round in the freeze: the trees that changed since the last one, and every file that the workload has mapped writable. Returns the names of
 * those. `asBefore`: what certainly has not changed, and cannot any more.
 */
export async function syncFrozen(
  surroundings: Surroundings,
  held: Held,
  checkpoint: Checkpoint,
  { trees }: SyncedTrees,
  asBefore: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const changed = trees.filter(({ tree }) => !asBefore.has(tree.name));
  const [mapped] = await Promise.all([
    checkpoint.mappedFiles(trees.map(({ tree }) => tree)),
    ...changed.map((each) => syncOne(surroundings, held, each, { final: true })),
  ]);
  for (const each of trees) {
    const only = mapped.get(each.tree.name);
    if (only !== undefined) await syncOne(surroundings, held, each, { final: true, only });
  }
  return new Set([...changed.map(({ tree }) => tree.name), ...mapped.keys()]);
}

/** Brings the files across while the workload runs, until a round is small or stops shrinking. */
export async function syncWhileRunning(
  surroundings: Surroundings,
  held: Held,
  { description, twin, fileBytes }: { description: WorkloadDescription; twin: TwinAnswer; fileBytes: number },
): Promise<SyncedTrees> {
  const trees = matchTrees(await surroundings.engine.trees(description), twin.trees);
  const looks = new Map<string, string | null>();
  let previous = Number.POSITIVE_INFINITY;
  for (let round = 0; round < RUNNING_ROUNDS_MOST; round++) {
    // Written pages of mapped files are cleaned first, so that a later write through the mapping moves the file's time again.
    await flushTrees(trees.map(({ tree }) => tree));
    for (const { tree } of trees) looks.set(tree.name, await fingerprint(tree));
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
    if (bytes < SMALL_ROUND_BYTES || bytes > previous / 2) break;
    previous = bytes;
  }
  await withRetries(surroundings, held, () => held.peer.flush(held.record.id));
  return { trees, looks };
}
