import { existsSync, readdirSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import { projectPath } from "../platform/paths.js";

export const KINDS = ["unit", "property", "integration", "web", "e2e", "vm"] as const;
export type Kind = (typeof KINDS)[number];

/** Test files that run in one process, one after the other. */
export interface Job {
  /** A kind, or the path of a file below test/. */
  readonly name: string;
  readonly kind: Kind;
  /** Paths of built files. */
  readonly files: readonly string[];
}

/** A fleet's Docker hosts, or two virtual nodes. */
const LANE_MEMORY_BYTES = 6 * 2 ** 30;
const MOST_LANES = 4;
/** Each file of these starts a lab of its own and waits most of the time. */
export const BY_FILE: readonly Kind[] = ["e2e", "vm"];
/** These need no program but Node: nothing of the lab's root file system. */
export const WITHOUT_LAB: readonly Kind[] = ["unit", "property"];
/** Emulation takes nearly all the CPU there is: with another that needs programs to answer in time beside it both take longer than one after the other, and miss deadlines. */
const EMULATED: Kind = "vm";
/** They take minutes: whoever begins with them ends first. */
const LONG = ["e2e/servers/servers", "e2e/migration/postcopy", "e2e/migration/cold", "e2e/migration/failures", "e2e/migration/crash"];
/** What only they show, should there be no time for all. */
const EMULATED_FIRST = ["vm/migration/precopy", "vm/migration/power-cut", "vm/migration/systemd"];
/** What is decided there follows from how much CPU workloads get. */
const ALONE = ["e2e/story/story"];

/** How many jobs this machine can run at once. They wait for most of their time. */
export function defaultLanes(): number {
  return Math.max(1, Math.min(availableParallelism() + 1, Math.floor(totalmem() / LANE_MEMORY_BYTES), MOST_LANES));
}

/**
 * All test files of the kinds, in the order in which to begin. `isWhole`: each kind in one process, which is quicker when only a few of its
 * tests are wanted.
 */
export function listJobs(kinds: readonly Kind[], isWhole: boolean): Job[] {
  const jobs = kinds.flatMap((kind): Job[] => {
    const files = filesOf(kind);
    if (files.length === 0) return [];
    if (isWhole || !BY_FILE.includes(kind)) return [{ name: kind, kind, files: files.map(builtPath) }];
    return files.map((file) => ({ name: file.replace(/\.test\.js$/, ""), kind, files: [builtPath(file)] }));
  });
  return jobs.sort((one, other) => place(one) - place(other));
}

/** Whether the job may begin beside those that run. */
export function mayBegin(job: Job, running: readonly Job[]): boolean {
  if (running.length === 0) return true;
  const all = [job, ...running];
  if (all.some(({ name }) => ALONE.includes(name))) return false;
  if (!all.some(({ kind }) => kind === EMULATED)) return true;
  return all.length === 2 && all.some(({ kind }) => WITHOUT_LAB.includes(kind));
}

/** First what says most in least time, last what takes so long where the machine is slow that a run with a deadline may have to leave it out. */
function place({ name, kind }: Job): number {
  if (WITHOUT_LAB.includes(kind)) return -1;
  if (kind === EMULATED) return LONG.length + 1 + within(EMULATED_FIRST, name);
  return within(LONG, name);
}

const within = (names: readonly string[], name: string) => (names.includes(name) ? names.indexOf(name) : names.length);

const builtPath = (file: string) => projectPath(`dist/test/${file}`);

function filesOf(kind: Kind): string[] {
  const folder = projectPath(`dist/test/${kind}`);
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((entry) => entry.endsWith(".test.js"))
    .sort()
    .map((entry) => join(kind, entry));
}
