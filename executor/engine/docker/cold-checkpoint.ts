import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { monotonicSeconds } from "../../channel/events.js";
import type { Checkpoint, WorkloadDescription } from "../engine.js";
import { inspect } from "./describe.js";
import { type DockerHost, isNotFound, isNotModified } from "./docker-host.js";
import { readMappedPaths, sortIntoTrees } from "./mapped-files.js";

/** Says to a successor that there is no CRIU to talk to; holds the container's id. */
const MARK = "cold";

/**
 * What a checkpoint is to a cold move: the container is stopped instead of frozen, its images are none, and it goes on by being started again.
 * Restarts must be held. For workloads whose owner allows it; their connections and memory are lost.
 */
export async function startColdCheckpoint(host: DockerHost, description: WorkloadDescription, folder: string): Promise<Checkpoint> {
  await mkdir(`${folder}/images`, { recursive: true, mode: 0o700 });
  await writeFile(`${folder}/${MARK}`, description.containerId);
  const { State } = await inspect(host, description.containerId);
  let mapped: ReadonlyMap<string, string> = new Map();
  return {
    ...afterStop(host, description.containerId),
    async dumped() {
      // As long as there is a process to ask.
      mapped = await readMappedPaths(State.Pid);
      const frozenAt = monotonicSeconds();
      await unlessSo(host.docker.getContainer(description.containerId).stop());
      return { frozenAt, imagesPath: `${folder}/images`, processes: [], madeNames: false };
    },
    async mappedFiles(trees) {
      const sorted = sortIntoTrees(mapped, trees);
      for (const { name, path } of trees) {
        // A program may remove what it had mapped when it ends.
        const left = (sorted.get(name) ?? []).filter((file) => existsSync(`${path}/${file}`));
        if (left.length > 0) sorted.set(name, left);
        else sorted.delete(name);
      }
      return sorted;
    },
  };
}

/** The same for the successor of an executor that died; null when the folder is not of a cold move. */
export async function resumeColdCheckpoint(host: DockerHost, folder: string): Promise<Checkpoint | null> {
  const containerId = await readFile(`${folder}/${MARK}`, "utf8").catch(() => null);
  if (containerId === null) return null;
  return {
    ...afterStop(host, containerId),
    dumped: () => Promise.reject(new Error("a cold move that was interrupted has no images")),
    mappedFiles: async () => new Map(),
  };
}

function afterStop(host: DockerHost, containerId: string): Pick<Checkpoint, "kill" | "goOn" | "letGo"> {
  return {
    // Nothing holds it: it has ended.
    letGo: new Promise(() => {}),
    // It has ended already.
    kill: async () => {},
    // One that its owner has removed meanwhile does not go on.
    goOn: () =>
      unlessSo(host.docker.getContainer(containerId).start()).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      }),
  };
}

/** Docker answers 304 when the container is as it should be. */
async function unlessSo(request: Promise<unknown>): Promise<void> {
  await request.catch((error: unknown) => {
    if (!isNotModified(error)) throw error;
  });
}
