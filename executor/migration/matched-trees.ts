import { EvenkeelError } from "../../platform/errors.js";
import { type SyncDone, syncTree } from "../channel/rsync-client.js";
import type { FileTree } from "../engine/engine.js";
import type { TwinAnswer } from "../peer/protocol.js";
import type { Held, Surroundings } from "./migration.js";
import { countBytes, countCarried, paceOf } from "./outlet.js";

export interface MatchedTree {
  readonly tree: FileTree;
  /** The name that a single-file tree has on the other end. */
  readonly remoteFile: string | null;
}

/** Trees of both ends matched by name. @throws SYNC_FAILED when the ends disagree on what there is to carry. */
export function matchTrees(here: readonly FileTree[], there: TwinAnswer["trees"]): MatchedTree[] {
  return here.map((tree) => {
    const twin = there.find((each) => each.name === tree.name);
    if (twin === undefined) throw new EvenkeelError("SYNC_FAILED", `the twin has no ${tree.name}`);
    return { tree, remoteFile: twin.file };
  });
}

/** One rsync of one tree. @throws SYNC_FAILED */
export async function syncOne(
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
