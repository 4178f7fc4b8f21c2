import { expect } from "chai";
import { canMove } from "../../../policies/can-move.js";
import type { Constraints, WorkloadState } from "../../../policies/types.js";
import { config, constraints, draining, GIBIBYTE, NOW, node, snapshot, workload } from "./small-fleet.js";

const group = constraints({ antiAffinityGroup: "db" });
const state = snapshot(
  [
    node("n1", 0.5),
    node("n2", 0.5),
    node("n3", 0.7),
    draining("n4", 0.1),
    node("n5", 0.1, 0.3, { state: "unknown" }),
    node("n6", 0.1, 0.3, { executorSilent: true }),
  ],
  [
    workload("a", "n1", 0.5, { lastMovedAt: NOW - 1 }),
    workload("large", "n1", 0.1, { memoryUsedBytes: 12 * GIBIBYTE }),
    workload("never", "n1", 0.1, { constraints: constraints({ mode: "never" }) }),
    workload("pinned", "n1", 0.1, { constraints: constraints({ pinnedTo: ["n1"] }) }),
    workload("db1", "n1", 0.1, { constraints: group }),
    workload("db2", "n2", 0.1, { constraints: group }),
    workload("going", "n1", 0.1),
    workload("lost", "n5", 0.1),
    workload("stuck", "n6", 0.1),
    workload("veiled", "n1", null),
  ],
  [{ id: "m", workload: "going", from: "n1", to: "n2" }],
);
const reasonOf = (id: string, to: string) => canMove(state, config({ concurrency: { perNode: 1, fleet: 1 } }), NOW, id, to)?.reason ?? null;

describe("an operator's own move", () => {
  it("is allowed in spite of cool-down, gain and limits", () => {
    expect(reasonOf("a", "n2")).to.equal(null);
  });
  for (const [id, to, reason] of [
    ["nobody", "n2", "workload-missing"],
    ["a", "n1", "not-needed"],
    ["a", "n9", "target-unknown"],
    ["a", "n5", "target-unknown"],
    ["a", "n4", "target-maintenance"],
    ["a", "n3", "target-cpu-full"],
    ["a", "n6", "executor-silent"],
    ["stuck", "n2", "executor-silent"],
    ["large", "n2", "target-memory-full"],
    ["never", "n2", "workload-never"],
    ["pinned", "n2", "workload-pinned"],
    ["db1", "n2", "anti-affinity"],
    ["going", "n2", "workload-migrating"],
    ["lost", "n2", "source-unknown"],
    ["veiled", "n2", "workload-unknown-usage"],
  ] as const) {
    it(`is refused as ${reason}: ${id} to ${to}`, () => expect(reasonOf(id, to)).to.equal(reason));
  }
  it("is refused where its images would not fit beside it while it moves, as the destination's preflight would refuse it", () => {
    const of = (gibibytes: number, withheld = 0, migrations = state.migrations) => {
      const nodes = [node("n1", 0.2), node("n2", 0.1, 0.25, { memoryWithheldBytes: withheld * GIBIBYTE })];
      const workloads = [workload("a", "n1", 0.1, { memoryUsedBytes: gibibytes * GIBIBYTE }), workload("going", "n1", 0.1)];
      return canMove({ ...snapshot(nodes, workloads), migrations }, config(), NOW, "a", "n2")?.reason ?? null;
    };
    // 12 GiB are free there.
    expect(of(6, 0, [])).to.equal(null);
    expect(of(6.1, 0, [])).to.equal("target-memory-full");
    expect(of(5.9, 0.5, []), "what the machine has not got").to.equal("target-memory-full");
    expect(of(5.5), "half a GiB is on its way there, and its images").to.equal(null);
    expect(of(5.6)).to.equal("target-memory-full");
  });
  it("is refused with a sentence that names both ends", () => {
    expect(canMove(state, config(), NOW, "a", "n3")).to.deep.equal({
      workload: "a",
      from: "n1",
      to: "n3",
      reason: "target-cpu-full",
      because: "n3 has no room for 0.50 cores below 75.0 % of its CPU.",
    });
  });
  it("is refused while as many of its group as its disruption budget allows are under way, and let through after that", () => {
    const member = (id: string, moving: number, more: Partial<Constraints> = {}) =>
      workload(id, "n1", 0.1, { constraints: constraints({ disruptionBudget: { group: "etcd", moving }, ...more }) });
    const reason = (workloads: WorkloadState[], migrations = [{ id: "m", workload: "e1", from: "n1", to: "n2" }]) =>
      canMove({ ...snapshot([node("n1", 0.2), node("n2", 0.1), node("n3", 0.1)], workloads), migrations }, config(), NOW, "e2", "n3");
    expect(reason([member("e1", 1), member("e2", 1)])).to.deep.equal({
      workload: "e2",
      from: "n1",
      to: "n3",
      reason: "disruption-budget",
      because: "As many workloads of etcd as its disruption budget allows are under way.",
    });
    expect(reason([member("e1", 2), member("e2", 2)])).to.equal(null);
    expect(reason([member("e1", 1), member("e2", 1)], [])).to.equal(null);
    const asOne = [member("e2", 1, { group: "pair" }), member("e3", 1, { group: "pair" })];
    expect(reason(asOne, [])?.reason, "it moves as one with another of the group").to.equal("disruption-budget");
  });
});
