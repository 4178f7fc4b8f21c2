import { execFile, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { EvenkeelError } from "../../../platform/errors.js";
import { folderBytes } from "../../channel/folder-bytes.js";
import { makeRoundFolder, parentOfRound } from "../../image-rounds.js";
import type { PreDump, WorkloadDescription } from "../engine.js";
import { cgroupFlags } from "./cgroup-flags.js";
import { readCriuErrors } from "./criu-log.js";
import { readStats } from "./criu-stats.js";
import { type DockerHost, findRuncRoot } from "./docker-host.js";

const run = promisify(execFile);

/**
 * Dumps the pages that were written since the round before (all of them in the first), while the workload runs: CRIU holds it still only to take
 * them. The kernel's marks on written pages are all that remains of it.
 */
export async function startPreDump(host: DockerHost, description: WorkloadDescription, folder: string, round: number): Promise<PreDump> {
  const imagesPath = await makeRoundFolder(`${folder}/images`, round);
  const work = `${folder}/pre-dump-${round}`;
  await mkdir(work, { recursive: true, mode: 0o700 });
  const root = await findRuncRoot(host, description.containerId);
  const parent = parentOfRound(round);
  const words =
    `--root ${root} checkpoint --pre-dump --tcp-established --ext-unix-sk --file-locks --empty-ns network --image-path ${imagesPath} --work-path ${work}`
      .split(" ")
      .concat(parent === null ? [] : ["--parent-path", parent], cgroupFlags(), description.containerId);
  const log = openSync(`${folder}/runc.log`, "a");
  // Without EVENKEEL_FOLDER: the action script has nothing to say or to ask in a round.
  const child = spawn("runc", words, { stdio: ["ignore", log, log] });
  closeSync(log);
  const done = new Promise<number>((resolve) => {
    child.once("error", () => resolve(127));
    child.once("exit", (code) => resolve(code ?? 128));
  }).then(async (code) => {
    if (code !== 0) {
      const words = await readCriuErrors(`${work}/dump.log`);
      throw new EvenkeelError(
        "CHECKPOINT_FAILED",
        `round ${round} of pre-copy: runc ended with ${code}: ${words || (await readFile(`${folder}/runc.log`, "utf8"))}`,
      );
    }
    const { frozenSeconds = 0 } = readStats(await readFile(`${work}/stats-dump`).catch(() => Buffer.alloc(0)));
    return { pausedSeconds: frozenSeconds, bytes: folderBytes(imagesPath) };
  });
  done.catch(() => {});
  return { imagesPath, done };
}

let tracking: Promise<string | null> | null = null;

/** Why the kernel does not tell which pages were written; null = it does. Asked for once. */
export function whyNoDirtyTracking(): Promise<string | null> {
  tracking ??= run("criu", ["check", "--feature", "mem_dirty_track"]).then(
    () => null,
    () => "its kernel does not track written pages (criu check --feature mem_dirty_track)",
  );
  return tracking;
}
