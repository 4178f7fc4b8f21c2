import type { MigrationRecord, Stage } from "../../../platform/migration-record.js";
import { duration } from "../../cli/words.js";

/** What the workload does meanwhile; the colours say no more than this. */
type Phase = "waiting" | "running" | "stopped" | "tidying";

const PHASES: Readonly<Record<Stage, Phase>> = {
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

export const LEGEND: readonly (readonly [Phase, string])[] = [
  ["waiting", "waiting for its turn"],
  ["running", "runs, being copied"],
  ["stopped", "stands still"],
  ["tidying", "runs again"],
];

/** Shares that add up to less than 1 would leave a part of the bar empty. */
const GROWTH_PER_SECOND = 1000;

/** The stages as one bar, each as wide as it was long; very short ones stay visible. */
export function Timeline({ record, now }: { record: MigrationRecord; now: number }) {
  const end = record.closedAt ?? Math.max(now, record.updatedAt);
  const parts = record.timeline.map(({ stage, at }, index) => ({
    stage,
    phase: PHASES[stage],
    seconds: Math.max(0, (record.timeline[index + 1]?.at ?? end) - at),
  }));
  const words = parts.map(({ stage, seconds }) => `${stage} ${duration(seconds)}`).join(", ");
  return (
    <div class={record.closedAt === null ? "timeline open" : "timeline"} role="img" aria-label={words}>
      {parts.map(({ stage, phase, seconds }, index) => (
        <span
          key={`${stage} ${index}`}
          class={`part ${phase}`}
          style={{ flexGrow: seconds * GROWTH_PER_SECOND }}
          title={`${stage}: ${duration(seconds)}`}
        >
          <span class="part-name">{stage}</span>
        </span>
      ))}
    </div>
  );
}
