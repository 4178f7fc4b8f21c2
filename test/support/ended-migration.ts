import type { MigrationRecord } from "../../platform/migration-record.js";

/** The closed record of one that went well, but for what is different about it. */
export function endedMigration(id: string, change: Partial<MigrationRecord> = {}): MigrationRecord {
  return {
    id,
    workload: "web",
    name: "web",
    containerId: "c".repeat(64),
    from: "n1",
    to: "n2",
    reason: "overload",
    because: "",
    mode: "auto",
    modeUsed: "stopcopy",
    members: [],
    modeBecause: null,
    rounds: [],
    epoch: 1,
    stage: "cleanup",
    outcome: "committed",
    predictedBlackoutSeconds: null,
    restoreSteps: {},
    createdAt: 1,
    updatedAt: 5,
    closedAt: 5,
    result: "succeeded",
    errorCode: null,
    errorMessage: null,
    blockers: [],
    blackoutSeconds: 0.4,
    forecast: { mode: "stopcopy", blackoutSeconds: 0.5, because: "", others: [] },
    bytes: { memory: 1e8, files: 1e6 },
    timeline: [
      { stage: "freeze", at: 2 },
      { stage: "restore", at: 3 },
    ],
    progress: null,
    ...change,
  };
}
