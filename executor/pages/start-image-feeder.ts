import { existsSync } from "node:fs";
import { projectPath } from "../../platform/paths.js";
import { waitUntilGone } from "../engine/docker/find-process.js";
import { spawnApart } from "../spawn-apart.js";
import { endWorkload, feedingMark } from "./end-workload.js";
import { listenTo, type MemoryFeeder, talkToFeeder } from "./memory-feeder.js";

const PROGRAM = projectPath("dist/executor/pages/image-feeder.js");

/** What tells this process from those of other restores, in its command line. */
export const feederWords = (folder: string) => [PROGRAM, folder];

/** Starts the process that feeds a restored workload from images. Done ahead of them: it takes a while, and reads the first round ahead. */
export function startImageFeeder(folder: string): MemoryFeeder {
  const log = `${folder}/image-feeder.log`;
  const child = spawnApart(PROGRAM, [folder], log, [projectPath("executor/shim/feed-memory"), folder]);
  return {
    beginsEarly: false,
    ...talkToFeeder(child, listenTo(child.stdout, "the image feeder", log)),
    roundArrived: () => void child.stdin.write("round\n"),
  };
}

/** Resolves once every page of a workload that was restored from images is in; at once where none is missing. */
export async function waitForImageFeeder(folder: string): Promise<void> {
  await waitUntilGone(feederWords(folder));
  // Its guard would have done that, and perhaps has.
  if (existsSync(feedingMark(folder))) endWorkload(folder);
}
