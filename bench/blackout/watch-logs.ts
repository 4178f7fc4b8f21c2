import { type FileHandle, open, readdir } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import type { LabNode } from "../../lab/docker-host.js";

const LOOK_MS = 20;
/** Which half of the executor's folder holds it, and its name. */
const FILES = [
  ["out", "dump.log"],
  ["out", "stats-dump"],
  ["in", "stats-restore"],
] as const;

export interface CriuLeft {
  readonly dump: string;
  readonly dumpStats: Buffer;
  readonly restoreStats: Buffer;
}

/**
 * Opens CRIU's logs and stats of the moves between the nodes as they appear: the executors remove them at the end of a move, an open file can still be read.
 * `stop()` gives the newest of each.
 */
export function watchLogs(nodes: readonly LabNode[]): { stop(): Promise<CriuLeft> } {
  const handles = new Map<string, FileHandle>();
  let watching = true;
  const look = async () => {
    for (const node of nodes) {
      const run = `/proc/${node.pid}/root/run/evenkeel`;
      for (const [half, log] of FILES) {
        for (const name of await readdir(`${run}/${half}`).catch(() => [])) {
          const path = `${run}/${half}/${name}/work/${log}`;
          const handle = handles.has(path) ? null : await open(path).catch(() => null);
          if (handle !== null) handles.set(path, handle);
        }
      }
    }
  };
  const watched = (async () => {
    while (watching) {
      await look();
      await pause(LOOK_MS);
    }
  })();
  return {
    stop: async () => {
      watching = false;
      await watched;
      const newest = async (name: string) =>
        (await [...handles].findLast(([path]) => path.endsWith(`/${name}`))?.[1].readFile()) ?? Buffer.alloc(0);
      const logs = {
        dump: (await newest("dump.log")).toString(),
        dumpStats: await newest("stats-dump"),
        restoreStats: await newest("stats-restore"),
      };
      await Promise.all([...handles.values()].map((handle) => handle.close()));
      return logs;
    },
  };
}
