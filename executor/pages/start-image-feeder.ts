import { projectPath } from "../../platform/paths.js";
import { waitUntilGone } from "../engine/docker/find-process.js";
import { spawnApart } from "../spawn-apart.js";
import { listenTo, type MemoryFeeder } from "./memory-feeder.js";

const PROGRAM = projectPath("dist/executor/pages/image-feeder.js");

/** What tells this process from those of other restores, in its command line. */
export const feederWords = (folder: string) => [PROGRAM, folder];

/** Starts the process that feeds a restored workload from images that come in rounds. Done when the first is here: it takes a while, and reads that one ahead. */
export function startImageFeeder(folder: string): MemoryFeeder {
  const log = `${folder}/image-feeder.log`;
  const { stdin, stdout } = spawnApart(PROGRAM, [folder], log, [projectPath("executor/shim/feed-memory"), folder]);
  const next = listenTo(stdout, "the image feeder", log);
  let ready: Promise<void> | null = null;
  const begin = async () => {
    stdin.write("go\n");
    await next("ready");
  };
  return {
    beginsEarly: false,
    begin: () => {
      ready ??= begin();
      return ready;
    },
  };
}

export async function waitForImageFeeder(folder: string): Promise<void> {
  await waitUntilGone(feederWords(folder));
}
