import { nowSeconds } from "../../platform/clock.js";
import { flushTrees } from "../flush-trees.js";
import { type ChangedFiles, changedSince, NONE_CHANGED, unmoved } from "./changed-files.js";
import { type MatchedTree, syncOne } from "./matched-trees.js";
import type { Held, Surroundings } from "./migration.js";
import { withRetries } from "./with-retries.js";

/** Of what was changed meanwhile: each takes only as long as that takes to read, so that the next has less of it. */
const REPEATS_MOST = 2;

/** By tree, the files that may hold more than was sent of them, though neither size nor time says so. */
export type UnsureFiles = ReadonlyMap<string, ChangedFiles>;

/** Of those that were unsure, the ones that the next round would leave as they are. */
export async function stillUnsure(trees: readonly MatchedTree[], unsure: UnsureFiles): Promise<ReadonlyMap<string, readonly string[]>> {
  return new Map(
    await Promise.all(trees.map(async ({ tree }) => [tree.name, await unmoved(tree, unsure.get(tree.name) ?? NONE_CHANGED)] as const)),
  );
}

/** Adds what was changed since to what was unsure before; of a later write a round knows by itself. */
export async function noteChanged(trees: readonly MatchedTree[], before: UnsureFiles, sinceSeconds: number): Promise<UnsureFiles> {
  const each = trees.map(async ({ tree }) => {
    const files = await changedSince(tree, sinceSeconds);
    return [tree.name, new Map([...(before.get(tree.name) ?? []), ...files])] as const;
  });
  return new Map(await Promise.all(each));
}

/**
 * Compares what was changed during the rounds by its contents, while the workload runs: in the freeze only what is changed meanwhile is left. Files that
 * cannot be carried now stay unsure.
 */
export async function repeatUnsure(
  surroundings: Surroundings,
  held: Held,
  trees: readonly MatchedTree[],
  unsure: UnsureFiles,
): Promise<UnsureFiles> {
  let left = unsure;
  for (let repeat = 0; repeat < REPEATS_MOST; repeat++) {
    const files = await stillUnsure(trees, left);
    const concerned = trees.filter(({ tree }) => (files.get(tree.name) ?? []).length > 0);
    if (concerned.length === 0) break;
    const beganAt = nowSeconds();
    await flushTrees(concerned.map(({ tree }) => tree));
    const kept = new Map<string, ChangedFiles>();
    for (const each of concerned) {
      const { name } = each.tree;
      const round = { final: false, only: files.get(name)! };
      const { missed } = await withRetries(surroundings, held, () => syncOne(surroundings, held, each, round));
      if (missed !== null) kept.set(name, left.get(name)!);
    }
    left = await noteChanged(trees, kept, beganAt);
  }
  return left;
}
