import { expect } from "chai";
import { DEFAULT_CONSOLIDATE_CONFIG } from "../../../policies/consolidate/config.js";
import { consolidate } from "../../../policies/consolidate/consolidate.js";
import { consolidateInput, parseWatts, WATTS_LABEL } from "../../../policies/consolidate/from-snapshot.js";
import type { NodeState, OpenMigration, Snapshot, WorkloadState } from "../../../policies/types.js";

function node(id: string, over: Partial<NodeState> = {}): NodeState {
  return {
    id,
    state: "ready",
    cpuCapacityCores: 8,
    memoryCapacityBytes: 100,
    cpuUsedCores: 2,
    memoryUsedBytes: 20,
    history: [],
    maintenance: null,
    labels: {},
    ...over,
  };
}

function workload(id: string, on: string, over: Partial<WorkloadState> = {}): WorkloadState {
  return {
    id,
    name: id,
    node: on,
    cpuUsedCores: 1,
    memoryUsedBytes: 10,
    cpuLimitCores: 2,
    memoryLimitBytes: null,
    constraints: { mode: "auto", antiAffinityGroup: null, pinnedTo: [] },
    lastMovedAt: null,
    ...over,
  };
}

function snapshot(nodes: NodeState[], workloads: WorkloadState[], migrations: OpenMigration[] = []): Snapshot {
  return { at: 1000, nodes, workloads, migrations };
}

describe("what a snapshot tells consolidation", () => {
  it("is enough to empty a node", () => {
    const input = consolidateInput(snapshot([node("a"), node("b")], [workload("w1", "a"), workload("w2", "b")]));
    const plan = consolidate(input, { ...DEFAULT_CONSOLIDATE_CONFIG, spareNodes: 0 });
    expect(plan.moves).to.have.length(1);
    expect(plan.sleep).to.have.length(1);
  });

  it("takes use that no workload explains off the node's capacity", () => {
    const [a] = consolidateInput(snapshot([node("a")], [workload("w1", "a")])).nodes;
    expect(a).to.include({ cpuCapacity: 7, memoryCapacityBytes: 90 });
  });

  it("closes nodes that are unknown, flagged, cordoned, or part of a migration", () => {
    const nodes = [
      node("a", { state: "unknown" }),
      node("b", { maintenance: { since: 0, deadline: null, reason: "disk" } }),
      node("c", { cordoned: true }),
      node("d"),
      node("e", { cpuUsedCores: null }),
      node("f"),
    ];
    const input = consolidateInput(snapshot(nodes, [], [{ id: "m", workload: "w", from: "d", to: "z" }]));
    expect(input.nodes.filter((n) => !n.closed).map((n) => n.id)).to.deep.equal(["f"]);
  });

  it("never takes an unread workload for an idle one", () => {
    const unread = [workload("w1", "a", { cpuUsedCores: null }), workload("w2", "a", { memoryUsedBytes: null })];
    const input = consolidateInput(snapshot([node("a"), node("b")], unread));
    expect(input.workloads.map((w) => w.cpuHistory)).to.deep.equal([[], []]);
    expect(consolidate(input, DEFAULT_CONSOLIDATE_CONFIG).moves).to.deep.equal([]);
  });

  it("uses the history that it is given", () => {
    const input = consolidateInput(snapshot([node("a")], [workload("w1", "a")]), () => [1, 2, 3]);
    expect(input.workloads[0]?.cpuHistory).to.deep.equal([1, 2, 3]);
  });

  it("reads a node's power from its label, and knows a bad one", () => {
    const labelled = consolidateInput(snapshot([node("a", { labels: { [WATTS_LABEL]: "86, 100, 117" } })], []));
    expect(labelled.nodes[0]?.watts).to.deep.equal([86, 100, 117]);
    expect(parseWatts("86")).to.equal(null);
    expect(parseWatts("86,,117")).to.equal(null);
    expect(parseWatts("86,many")).to.equal(null);
    expect(parseWatts(undefined)).to.equal(null);
  });
});
