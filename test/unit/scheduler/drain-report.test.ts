import { expect } from "chai";
import type { MigrationRecord } from "../../../platform/migration-record.js";
import { DEFAULT_POLICY_CONFIG } from "../../../policies/config.js";
import { buildPicture } from "../../../scheduler/fleet/build-snapshot.js";
import { reportDrain } from "../../../scheduler/fleet/drain-report.js";
import type { ReportedWorkload } from "../../support/reported-fleet.js";
import { closedMove, makeContext, readingOf } from "./fleet-reading.js";

const SINCE = 1000;
const NOW = 1100;
const FLAG = JSON.stringify({ since: SINCE, reason: "new fans" });
const BYTES = 2 ** 28;
/** policies/cost/config.ts: what nobody has measured yet. */
const [FIXED_SECONDS, BYTES_PER_SECOND] = [0.5, 1e8];

const small = (name: string, labels: Record<string, string> = {}): ReportedWorkload => ({
  name,
  cpuUsedCores: 0.1,
  memoryUsedBytes: BYTES,
  labels,
});

/** The report on n1, from which these have left (newest first) and where these are left. */
function report(left: readonly ReportedWorkload[], closedMigrations: readonly MigrationRecord[] = []) {
  const nodes = [
    { id: "n1", workloads: [...left] },
    { id: "n2", workloads: [] },
  ];
  const picture = buildPicture(readingOf(NOW, nodes, { flags: { n1: FLAG }, closedMigrations }), makeContext());
  return reportDrain(picture, "n1", DEFAULT_POLICY_CONFIG)!;
}

describe("When a node is expected to be empty", () => {
  it("is told by what the moves are expected to cost, before the first has left", () => {
    const { state, moved, expectedEmptyAt } = report([small("a"), small("b")]);
    expect({ state, moved }).to.deep.equal({ state: "draining", moved: 0 });
    expect(expectedEmptyAt).to.be.closeTo(NOW + 2 * (FIXED_SECONDS + BYTES / BYTES_PER_SECOND), 0.01);
  });

  it("is told by the pace so far, waiting between the moves included, once some have left", () => {
    const { moved, expectedEmptyAt } = report([small("a"), small("b"), small("c")], [closedMove("z", 1095), closedMove("y", 1055)]);
    expect(moved).to.equal(2);
    // From the begin of the first, 1045, to the end of the last: 25 s for each.
    expect(expectedEmptyAt).to.equal(NOW + 3 * 25);
  });

  it("is put off while the next takes longer than those before", () => {
    const { expectedEmptyAt } = report([small("a"), small("b")], [closedMove("z", 1040), closedMove("y", 1030)]);
    expect(expectedEmptyAt).to.equal(NOW + 2 * 60);
  });

  it("is told by this drain's own moves alone: not by earlier ones, by others that left, or by any that came to nothing", () => {
    const others = [
      closedMove("x", 1065, { outcome: "aborted", result: "failed", errorCode: "RESTORE_FAILED" }),
      closedMove("w", 1060, { reason: "overload" }),
      closedMove("v", 1055, { from: "n2", to: "n1" }),
      closedMove("u", SINCE - 50),
    ];
    const { moved, expectedEmptyAt } = report([small("a")], [closedMove("z", 1095), ...others]);
    expect({ moved, expectedEmptyAt }).to.deep.equal({ moved: 1, expectedEmptyAt: NOW + 10 });
  });

  it("counts one that has left and still stands in the node's last sample once: as one that remains", () => {
    const gone = closedMove("z", 1098);
    const { moved, remaining, expectedEmptyAt } = report([small("a"), small("z")], [gone, closedMove("y", 1095)]);
    expect(remaining.map(({ name }) => name)).to.have.members(["a", "z"]);
    expect({ moved, expectedEmptyAt }).to.deep.equal({ moved: 1, expectedEmptyAt: NOW + 2 * 10 });
  });

  it("is unknown as long as one is there that may not leave", () => {
    const { remaining, expectedEmptyAt } = report([small("a"), small("b", { "io.evenkeel.mode": "never" })], [closedMove("z", 1070)]);
    expect(remaining.map(({ status }) => status)).to.have.members(["waiting", "blocked"]);
    expect(expectedEmptyAt).to.equal(null);
  });

  it("is now, when it is", () => {
    expect(report([], [closedMove("z", 1070)])).to.deep.include({ state: "drained", expectedEmptyAt: NOW });
  });
});
