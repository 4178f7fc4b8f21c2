import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import type { Snapshot } from "../../policies/types.js";
import { toHbalText } from "./hbal-text.js";
import type { Step } from "./judge.js";

export interface HbalRun {
  readonly steps: readonly Step[];
  readonly seconds: number;
  /** False when the time ran out: the steps found by then are what it would have done first. */
  readonly finished: boolean;
}

export interface HbalOptions {
  readonly path: string;
  /** Folders of libraries that the machine lacks, as LD_LIBRARY_PATH has them. */
  readonly libraryPath?: string;
  /** Most steps; null = until hbal itself is satisfied. */
  readonly maxMoves: number | null;
  readonly maxSeconds: number;
}

export class HbalMissingError extends Error {
  constructor(path: string, cause: string) {
    super(
      `${path} cannot be run${cause && ` (${cause.trim()})`}. Debian has it in ganeti-htools, from where it is fetched when no path is given; say where it is with --hbal PATH, or leave it out with --no-hbal`,
    );
  }
}

/** @throws HbalMissingError when it cannot be run; Error when it refuses its input */
export async function runHbal(snapshot: Snapshot, options: HbalOptions): Promise<HbalRun> {
  const directory = await mkdtemp(join(tmpdir(), "evenkeel-hbal-"));
  try {
    const file = join(directory, "cluster.txt");
    await writeFile(file, `${toHbalText(snapshot)}\n`);
    const limit = options.maxMoves === null ? [] : ["-l", String(options.maxMoves)];
    const started = performance.now();
    const result = await execa(options.path, ["-t", file, "--ignore-dynu", ...limit], {
      timeout: options.maxSeconds * 1000,
      env: options.libraryPath ? { LD_LIBRARY_PATH: options.libraryPath } : {},
      reject: false,
    });
    const seconds = (performance.now() - started) / 1000;
    if (result.code === "ENOENT" || result.exitCode === 127) {
      throw new HbalMissingError(options.path, String(result.stderr ?? ""));
    }
    if (result.failed && !result.timedOut) throw new Error(`hbal failed: ${result.stderr || result.stdout}`);
    return { steps: parseSteps(result.stdout), seconds, finished: !result.timedOut };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Lines such as `   12. w7  n0  => n19  0.18422498 a=fa:n19`, printed as they are found. */
export function parseSteps(output: string): Step[] {
  const steps: Step[] = [];
  for (const line of output.split("\n")) {
    const match = /^\s*\d+\. (\S+)\s+\S+\s+=> (\S+)\s+\S+ a=/.exec(line);
    if (match !== null) steps.push({ workload: match[1] as string, to: match[2] as string });
  }
  return steps;
}
