import { type FileHandle, open, readdir } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import type { LabNode } from "../../lab/docker-host.js";

const LOOK_MS = 20;

/**
 * Opens CRIU's logs of the moves between the nodes as they appear: the executors remove them at the end of a move, an open file can still be read.
 * `stop()` gives the newest dump.log and restore.log.
 */
export function watchLogs(nodes: readonly LabNode[]): { stop(): Promise<{ dump: string; restore: string }> } {
  const handles = new Map<string, FileHandle>();
  let watching = true;
  const look = async () => {
    for (const node of nodes) {
      const run = `/proc/${node.pid}/root/run/evenkeel`;
      for (const [half, log] of [
        ["out", "dump.log"],
        ["in", "restore.log"],
      ] as const) {
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
      const newest = async (log: string) => (await [...handles].findLast(([path]) => path.endsWith(log))?.[1].readFile("utf8")) ?? "";
      const logs = { dump: await newest("dump.log"), restore: await newest("restore.log") };
      await Promise.all([...handles.values()].map((handle) => handle.close()));
      return logs;
    },
  };
}
