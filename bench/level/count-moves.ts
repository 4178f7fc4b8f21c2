import type { MigrationRecord } from "../../platform/migration-record.js";

type Move = Pick<MigrationRecord, "workload" | "createdAt" | "closedAt" | "outcome">;

/** Committed moves that began before the workload's rest after its last one was over. */
export function countMovedAgain(records: readonly Move[], cooldownSeconds: number): number {
  const lastEnd = new Map<string, number>();
  let count = 0;
  for (const { workload, createdAt, closedAt, outcome } of [...records].sort((a, b) => a.createdAt - b.createdAt)) {
    if (outcome !== "committed") continue;
    if (createdAt - (lastEnd.get(workload) ?? Number.NEGATIVE_INFINITY) < cooldownSeconds) count++;
    lastEnd.set(workload, closedAt ?? createdAt);
  }
  return count;
}
