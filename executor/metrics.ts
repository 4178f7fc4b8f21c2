import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { CLOSED_KEPT, type MigrationRecord, STAGES } from "../platform/migration-record.js";
import { MODES } from "./migration/modes.js";
import { METRICS } from "./protocol.js";

const BLACKOUT_BUCKETS = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60];
const STAGE_BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300];

export interface ExecutorMetrics {
  migrationStarted(): void;
  /** Null when the record is gone. One that was taken up again after it had closed is not counted again. */
  migrationEnded(record: MigrationRecord | null): void;
}

/** The executor's metrics. The source's executor counts each migration, once, when it closes. */
export function makeExecutorMetrics(registry: Registry): ExecutorMetrics {
  const registers = [registry];
  const blackout = new Histogram({
    name: METRICS.blackoutSeconds,
    help: "Time from freeze to resume of migrations that succeeded",
    labelNames: ["mode"],
    buckets: BLACKOUT_BUCKETS,
    registers,
  });
  const stages = new Histogram({
    name: METRICS.stageSeconds,
    help: "Time spent in each stage of a migration",
    labelNames: ["stage"],
    buckets: STAGE_BUCKETS,
    registers,
  });
  const forecastError = new Histogram({
    name: METRICS.forecastErrorSeconds,
    help: "By how much the blackout missed the one that was predicted when the mode was chosen",
    labelNames: ["mode"],
    buckets: BLACKOUT_BUCKETS,
    registers,
  });
  const migrations = new Counter({
    name: METRICS.migrations,
    help: "Migrations that ended",
    labelNames: ["result", "mode", "reason"],
    registers,
  });
  const bytes = new Counter({
    name: METRICS.bytes,
    help: "Bytes sent to destinations",
    labelNames: ["kind"],
    registers,
  });
  /** Ids, oldest first. No more records than these are kept closed. */
  const counted = new Set<string>();
  const active = new Gauge({ name: METRICS.active, help: "Migrations that leave this node now", registers });
  // Series that begin at zero: a rate cannot see the first event of one that begins at one.
  for (const mode of Object.keys(MODES)) {
    blackout.zero({ mode });
    forecastError.zero({ mode });
  }
  for (const stage of STAGES) stages.zero({ stage });
  for (const kind of ["image", "files", "precopy", "memory", "pages"]) bytes.inc({ kind }, 0);
  return {
    migrationStarted: () => active.inc(),
    migrationEnded: (record) => {
      active.dec();
      if (record === null || record.closedAt === null || counted.has(record.id)) return;
      counted.add(record.id);
      if (counted.size > CLOSED_KEPT) counted.delete(counted.values().next().value!);
      const mode = record.modeUsed ?? record.mode;
      migrations.inc({ result: record.result ?? "failed", mode, reason: record.reason });
      if (record.result === "succeeded" && record.blackoutSeconds !== null) {
        blackout.observe({ mode }, record.blackoutSeconds);
        if (record.forecast !== null) forecastError.observe({ mode }, Math.abs(record.blackoutSeconds - record.forecast.blackoutSeconds));
      }
      for (const [kind, count] of Object.entries(record.bytes)) bytes.inc({ kind }, count);
      record.timeline.forEach((entry, index) => {
        const end = record.timeline[index + 1]?.at ?? record.closedAt ?? record.updatedAt;
        stages.observe({ stage: entry.stage }, Math.max(0, end - entry.at));
      });
    },
  };
}
