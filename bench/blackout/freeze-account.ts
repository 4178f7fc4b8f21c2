import type { CriuStats } from "../../executor/engine/docker/criu-stats.js";
import type { MigrationRecord } from "../../platform/migration-record.js";
import { DUMP_MARKS, stretches } from "./criu-log.js";

/** One stretch of a freeze. `by`: whose work it is. */
export interface Stretch {
  readonly what: string;
  readonly by: "criu" | "docker" | "evenkeel";
  readonly seconds: number;
}

export interface FreezeAccount {
  readonly sizeMiB: number;
  readonly runs: number;
  readonly blackoutSeconds: number;
  /** In the order in which they happen; medians, so that they need not add up exactly. */
  readonly stretches: readonly Stretch[];
  /** What CRIU itself counted (stats-dump, stats-restore); `frozenSeconds` goes on until the verdict. */
  readonly criu: CriuStats;
}

/**
 * Puts a freeze together from the record, the destination's timeline (seconds from the request to restore), and CRIU's log of the dump. What none
 * of them tells is the last stretch.
 */
export function accountOf(record: MigrationRecord, timeline: Record<string, number>, dump: string): Stretch[] {
  const at = (stage: string) => record.timeline.find((entry) => entry.stage === stage)?.at ?? Number.NaN;
  const step = (name: string) => timeline[name] ?? Number.NaN;
  const parts: Stretch[] = [];
  const add = (by: Stretch["by"], what: string, seconds: number) => parts.push({ what, by, seconds: Math.max(0, seconds) });
  for (const [what, seconds] of stretches(dump, DUMP_MARKS)) add("criu", what, seconds);
  add("evenkeel", "send memory and files", at("restore") - at("transfer"));
  add("evenkeel", "memory feeder, images in place", step("images"));
  add("criu", "runc and CRIU make namespaces", step("namespace") - step("images"));
  add("docker", "docker attaches the network", step("start") - step("namespace"));
  add("criu", "mounts (tar), beyond the network's time", step("post-setup-namespaces") - step("start"));
  const socketsBegin = Math.max(step("start"), step("post-setup-namespaces"));
  add("criu", "processes, sockets, memory map", step("post-restore") - socketsBegin);
  add("evenkeel", "proof and commit", step("commit") - step("post-restore"));
  add("criu", "resume", step("post-resume") - step("commit"));
  const told = parts.reduce((sum, part) => sum + part.seconds, 0);
  add("evenkeel", "messages between nodes, Redis, scripts", (record.blackoutSeconds ?? 0) - told);
  return parts;
}
