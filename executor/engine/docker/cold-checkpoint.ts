import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { asEvenkeelError } from "../../../platform/errors.js";
import { below } from "../../byte-paths.js";
import { monotonicSeconds } from "../../channel/events.js";
import type { Checkpoint, WorkloadDescription } from "../engine.js";
import { inspect } from "./describe.js";
import { type DockerHost, isNotFound, isNotModified } from "./docker-host.js";
import { type MappedFiles, NONE_MAPPED, readMapped, sortIntoTrees } from "./mapped-files.js";

/** Says to a successor that there is no CRIU to talk to; holds the container's id, and since when it ran. */
const MARK = "cold";
/** That Docker has not been asked to stop it yet. */
const UNTOUCHED_MARK = "cold-untouched";

/** How often it is looked whether somebody has started the stopped source. */
const LOOK_MILLISECONDS = 200;

/**
 * What a checkpoint is to a cold move: the container is stopped instead of frozen, its images are none, and it goes on by being started again.
 * Restarts must be held. For workloads whose owner allows it; their connections and memory are lost.
 */
export async function startColdCheckpoint(host: DockerHost, description: WorkloadDescription, folder: string): Promise<Checkpoint> {
  await mkdir(`${folder}/images`, { recursive: true, mode: 0o700 });
  const { State } = await inspect(host, description.containerId);
  await writeFile(`${folder}/${UNTOUCHED_MARK}`, "");
  await writeFile(`${folder}/${MARK}`, `${description.containerId} ${State.StartedAt}`);
  const watch = watchStopped(host, description.containerId);
  let mapped: MappedFiles = NONE_MAPPED;
  return {
    letGo: watch.started,
    // It has ended already.
    kill: async () => watch.close(),
    goOn: () => {
      watch.close();
      return startAgain(host, description.containerId);
    },
    async dumped() {
      // As long as there is a process to ask.
      mapped = await readMapped(State.Pid);
      await rm(`${folder}/${UNTOUCHED_MARK}`);
      const frozenAt = monotonicSeconds();
      await unlessSo(host.docker.getContainer(description.containerId).stop());
      watch.begin();
      return { frozenAt, imagesPath: `${folder}/images`, processes: [], neighbours: [], madeNames: false };
    },
    async mappedFiles(trees) {
      const sorted = sortIntoTrees(mapped, trees);
      for (const { name, path } of trees) {
        // A program may remove what it had mapped when it ends.
        const left = (sorted.get(name) ?? []).filter((file) => existsSync(below(path, file)));
        if (left.length > 0) sorted.set(name, left);
        else sorted.delete(name);
      }
      return sorted;
    },
  };
}

/** The same for the successor of an executor that died; null when the folder is not of a cold move. */
export async function resumeColdCheckpoint(host: DockerHost, folder: string): Promise<Checkpoint | null> {
  const mark = await readFile(`${folder}/${MARK}`, "utf8").catch(() => null);
  if (mark === null) return null;
  const [containerId = "", startedAt] = mark.split(" ");
  const watch = watchStopped(host, containerId);
  watch.begin();
  return {
    letGo: watch.started,
    kill: async () => watch.close(),
    goOn: async () => {
      watch.close();
      if (existsSync(`${folder}/${UNTOUCHED_MARK}`)) return;
      // The stop may still be under way, and would end it after we had taken it for one that goes on.
      const isOld = await inspect(host, containerId).then(
        ({ State }) => State.StartedAt === startedAt,
        () => false,
      );
      if (isOld) await unlessSo(host.docker.getContainer(containerId).stop()).catch(unlessGone);
      await startAgain(host, containerId);
    },
    dumped: () => Promise.reject(new Error("a cold move that was interrupted has no images")),
    mappedFiles: async () => new Map(),
  };
}

/** Nothing holds a container that was stopped: a unit of systemd, a compose file or a person may start it while its files are on their way. */
function watchStopped(host: DockerHost, containerId: string) {
  let isWatched = false;
  let noteStarted: (how: "started") => void = () => {};
  const started = new Promise<"started">((resolve) => {
    noteStarted = resolve;
  });
  const watch = async () => {
    while (isWatched) {
      const isRunning = await inspect(host, containerId).then(
        ({ State }) => State.Running,
        (error: unknown) => (asEvenkeelError(error).code === "WORKLOAD_NOT_FOUND" ? null : false),
      );
      // Nobody starts what has been removed.
      if (isRunning === null) return;
      if (isRunning && isWatched) return noteStarted("started");
      await delay(LOOK_MILLISECONDS, undefined, { ref: false });
    }
  };
  return {
    started,
    begin: () => {
      isWatched = true;
      void watch();
    },
    close: () => {
      isWatched = false;
    },
  };
}

async function startAgain(host: DockerHost, containerId: string): Promise<void> {
  await unlessSo(host.docker.getContainer(containerId).start()).catch(unlessGone);
}

/** One that its owner has removed meanwhile does not go on. */
function unlessGone(error: unknown): void {
  if (!isNotFound(error)) throw error;
}

/** Docker answers 304 when the container is as it should be. */
async function unlessSo(request: Promise<unknown>): Promise<void> {
  await request.catch((error: unknown) => {
    if (!isNotModified(error)) throw error;
  });
}
