import { expect } from "chai";
import { Registry } from "prom-client";
import { type ExecutorMetrics, makeExecutorMetrics } from "../../../executor/metrics.js";
import { METRICS } from "../../../executor/protocol.js";
import type { MigrationRecord } from "../../../platform/migration-record.js";
import { endedMigration } from "../../support/ended-migration.js";

describe("The executor's metrics", () => {
  let registry: Registry;
  let metrics: ExecutorMetrics;

  const sum = async (name: string, suffix = "") => {
    const values = (await registry.getSingleMetric(name)!.get()).values as { value: number; metricName?: string }[];
    return values.filter(({ metricName = name }) => metricName === `${name}${suffix}`).reduce((total, { value }) => total + value, 0);
  };
  const takeUp = (ended: MigrationRecord | null) => {
    metrics.migrationStarted();
    metrics.migrationEnded(ended);
  };

  beforeEach(() => {
    registry = new Registry();
    metrics = makeExecutorMetrics(registry);
  });

  it("count a migration once, however often it is taken up after it has closed", async () => {
    takeUp(endedMigration("m1", { closedAt: null, result: null }));
    expect(await sum(METRICS.migrations)).to.equal(0);
    // A job that BullMQ delivers again, and members of a group of which one is still open.
    for (let times = 0; times < 3; times++) {
      takeUp(endedMigration("m1"));
      takeUp(endedMigration("m2"));
    }
    expect(await sum(METRICS.migrations)).to.equal(2);
    expect(await sum(METRICS.blackoutSeconds, "_count")).to.equal(2);
    expect(await sum(METRICS.stageSeconds, "_count")).to.equal(4);
    expect(await sum(METRICS.bytes)).to.equal(2 * 101e6);
    expect(await sum(METRICS.active)).to.equal(0);
  });

  it("count one that was cancelled in its queue, which nobody could claim", async () => {
    takeUp(
      endedMigration("m1", { epoch: 0, stage: "queued", outcome: "aborted", result: "cancelled", modeUsed: null, blackoutSeconds: null }),
    );
    expect(await sum(METRICS.migrations)).to.equal(1);
    expect(await registry.metrics()).to.contain(`${METRICS.migrations}{result="cancelled",mode="auto",reason="overload"} 1`);
  });
});
