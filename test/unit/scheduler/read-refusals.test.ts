import { expect } from "chai";
import type { ErrorCode } from "../../../platform/errors.js";
import { finding } from "../../../platform/findings.js";
import type { MigrationRecord } from "../../../platform/migration-record.js";
import { readRefusals } from "../../../scheduler/fleet/read-refusals.js";

const NOW = 1_800_000_000;

const record = (to: string, errorCode: ErrorCode | null, changes: Partial<MigrationRecord> = {}): MigrationRecord =>
  ({ containerId: "c1", to, closedAt: NOW - 50, result: "failed", errorCode, blockers: [], ...changes }) as unknown as MigrationRecord;
const blocked = (to: string, ...blockers: MigrationRecord["blockers"]) => record(to, "PREFLIGHT_BLOCKED", { blockers });
const read = (...closed: MigrationRecord[]) =>
  (readRefusals(closed, NOW).get("c1") ?? []).map(({ to, code, passes }) => ({ to, code, passes }));

describe("The refusals that closed migrations tell of", () => {
  it("count against one destination, or against all when the workload has the cause in it", () => {
    expect(read(blocked("n2", finding("name-taken", "")))).to.deep.equal([{ to: "n2", code: "name-taken", passes: false }]);
    expect(read(blocked("n2", finding("name-taken", ""), finding("tty", "")))).to.deep.equal([{ to: null, code: "tty", passes: false }]);
  });

  it("tell failures too: a dump that failed would fail wherever to", () => {
    expect(read(record("n2", "RESTORE_FAILED"))).to.deep.equal([{ to: "n2", code: "RESTORE_FAILED", passes: false }]);
    expect(read(record("n2", "CHECKPOINT_FAILED"))).to.deep.equal([{ to: null, code: "CHECKPOINT_FAILED", passes: false }]);
  });

  it("tell which pass by themselves", () => {
    expect(read(record("n2", "PEER_UNREACHABLE"))[0]!.passes).to.equal(true);
    expect(read(blocked("n2", finding("memory-short", "")))[0]!.passes).to.equal(true);
    expect(read(blocked("n2", finding("memory-short", ""), finding("name-taken", "")))[0]!.passes).to.equal(false);
  });

  it("are the newest of each destination, and none of what was cancelled, went well or is long ago", () => {
    expect(read(record("n2", "RESTORE_FAILED"), record("n2", "SYNC_FAILED"), record("n3", "SYNC_FAILED"))).to.deep.equal([
      { to: "n2", code: "RESTORE_FAILED", passes: false },
      { to: "n3", code: "SYNC_FAILED", passes: true },
    ]);
    expect(read(record("n2", "CANCELLED", { result: "cancelled" }), record("n2", null, { result: "succeeded" }))).to.deep.equal([]);
    expect(read(record("n2", "RESTORE_FAILED", { closedAt: NOW - 90_000 }))).to.deep.equal([]);
  });

  it("tell how often the same was in the way in the last day, wherever to, and nothing of another container", () => {
    const failed = record("n2", "CHECKPOINT_FAILED");
    const closed = [
      failed,
      record("n3", "RESTORE_FAILED"),
      record("n3", "CHECKPOINT_FAILED"),
      record("n4", "RESTORE_FAILED"),
      record("n2", "CHECKPOINT_FAILED", { result: "cancelled" }),
      record("n2", "CHECKPOINT_FAILED", { containerId: "c2" }),
      failed,
      record("n2", "CHECKPOINT_FAILED", { closedAt: NOW - 90_000 }),
    ];
    const refusals = readRefusals(closed, NOW);
    const timesOf = (container: string) => refusals.get(container)!.map(({ to, code, times }) => `${to} ${code} ${times}`);
    expect(timesOf("c1")).to.deep.equal(["null CHECKPOINT_FAILED 3", "n3 RESTORE_FAILED 2", "n4 RESTORE_FAILED 2"]);
    expect(timesOf("c2")).to.deep.equal(["null CHECKPOINT_FAILED 1"]);
  });
});
