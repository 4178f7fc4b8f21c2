import type { MigrationRecord, Stage } from "../platform/migration-record.js";

/** What the workload does meanwhile. */
export type Phase = "waiting" | "running" | "stopped" | "tidying";

export const PHASES: Readonly<Record<Stage, Phase>> = {
  queued: "waiting",
  preflight: "running",
  reserve: "running",
  prepare: "running",
  precopy: "running",
  freeze: "stopped",
  transfer: "stopped",
  restore: "stopped",
  resume: "tidying",
  cleanup: "tidying",
};

export const PHASE_WORDS: Readonly<Record<Phase, string>> = {
  waiting: "waits for its turn",
  running: "runs, being copied",
  stopped: "stands still",
  tidying: "runs again",
};

/** One stage of a migration; seconds count from the record's beginning. */
export interface TimelinePart {
  readonly stage: Stage;
  readonly phase: Phase;
  readonly start: number;
  readonly seconds: number;
  /** Sent in this stage, by kind; kinds of which nothing was sent are left out. */
  readonly bytes: Readonly<Record<string, number>>;
}

/** A stretch in seconds from the record's beginning. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The record's stages one after the other. An open record's last stage lasts until `now` (epoch seconds). */
export function readTimeline(record: MigrationRecord, now: number): TimelinePart[] {
  const end = record.closedAt ?? Math.max(now, record.updatedAt);
  return record.timeline.map(({ stage, at, bytes }, index) => {
    const next = record.timeline[index + 1];
    return {
      stage,
      phase: PHASES[stage],
      start: at - record.createdAt,
      seconds: Math.max(0, (next?.at ?? end) - at),
      bytes: difference((next === undefined ? record.bytes : next.bytes) ?? {}, bytes ?? {}),
    };
  });
}

function difference(after: Readonly<Record<string, number>>, before: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(after)
      .map(([kind, count]) => [kind, count - (before[kind] ?? 0)] as const)
      .filter(([, count]) => count > 0),
  );
}

/**
 * When the workload did not run: it ends with the stage `resume`, which the source enters as soon as it hears of it, and is as long as was measured.
 * Before that has been told, from the freeze on. Null when there was no freeze.
 */
export function blackoutSpan(record: MigrationRecord, now: number): Span | null {
  const enteredAt = (stage: Stage) => record.timeline.find((entry) => entry.stage === stage)?.at;
  const resumedAt = enteredAt("resume");
  const frozenAt = enteredAt("freeze");
  if (record.blackoutSeconds !== null && resumedAt !== undefined) {
    const end = resumedAt - record.createdAt;
    return { start: Math.max(0, end - record.blackoutSeconds), end };
  }
  if (frozenAt === undefined) return null;
  return { start: frozenAt - record.createdAt, end: (record.closedAt ?? Math.max(now, record.updatedAt)) - record.createdAt };
}

/** What happens up to each step of a restore, in the order in which the destination comes by them; `restoreSteps` has their times. */
const RESTORE_STEPS: readonly (readonly [string, string])[] = [
  ["images", "images in place"],
  ["namespace", "namespaces"],
  ["start", "network"],
  ["post-setup-namespaces", "mounts"],
  ["post-restore", "sockets, memory"],
  ["commit", "proof, commit"],
  ["post-resume", "resume"],
];

/** The blackout seen closer: what the time went into, in order. Empty while it is not known. */
export function explainBlackout(record: MigrationRecord): { readonly name: string; readonly seconds: number }[] {
  const span = blackoutSpan(record, record.updatedAt);
  const restore = record.timeline.find(({ stage }) => stage === "restore");
  if (span === null || restore === undefined || record.blackoutSeconds === null) return [];
  const start = record.createdAt + span.start;
  const transfer = record.timeline.find(({ stage }) => stage === "transfer");
  const sent = (transfer ?? restore).at;
  const parts = [
    { name: "freeze, save", seconds: sent - start },
    { name: "send", seconds: restore.at - sent },
  ];
  let reached = 0;
  for (const [step, name] of RESTORE_STEPS) {
    const at = record.restoreSteps[step];
    if (at === undefined) continue;
    parts.push({ name, seconds: at - reached });
    // Network and mounts are made side by side.
    reached = Math.max(reached, at);
  }
  return parts.filter(({ seconds }) => seconds > 0);
}
