import { expect } from "chai";
import { canMove } from "../../../policies/can-move.js";
import { decide } from "../../../policies/decide.js";
import type { NodeState, Snapshot, WorkloadState } from "../../../policies/types.js";
import { config, constraints, draining, NOW, node, snapshot, workload } from "./small-fleet.js";

const zoned = (id: string, zone: string, override: Partial<NodeState> = {}) =>
  node(id, 0.1, 0.3, { labels: { "io.evenkeel.zone": zone }, ...override });
const spread = (id: string, on: string) => workload(id, on, 0.5, { constraints: constraints({ zoneSpreadGroup: "web" }) });
/** As the records tell of it, before any sample has. */
const unread: Partial<WorkloadState> = { cpuUsedCores: null, memoryUsedBytes: null, labelsUnknown: true };
const skipOf = (state: Snapshot, to: string) => canMove(state, config(), NOW, "w", to);

describe("a workload of which only records tell", () => {
  it("may be of any group: no zone that holds one is taken to have fewer than others", () => {
    const nodes = [zoned("n1", "a"), zoned("n2", "b"), zoned("n3", "b"), zoned("n4", "c")];
    const seen = snapshot(nodes, [spread("w", "n1")]);
    expect(skipOf(seen, "n2")).to.equal(null);
    const veiled = snapshot(nodes, [spread("w", "n1"), workload("u", "n3", 0, unread)]);
    expect(skipOf(veiled, "n2")).to.include({
      reason: "zone-spread",
      because: "What all nodes of zone b run is not known: it may have as many of web as others, or more.",
    });
    expect(skipOf(veiled, "n4"), "another zone").to.equal(null);
    const alone = nodes.slice(1, 3).concat(node("n5", 0.1));
    expect(skipOf(snapshot(alone, [spread("w", "n5"), workload("u", "n3", 0, unread)]), "n2"), "there is but one zone").to.equal(null);
  });

  it("takes its part of every disruption budget while it is under way", () => {
    const etcd = workload("w", "n1", 0.5, { constraints: constraints({ disruptionBudget: { group: "etcd", moving: 1 } }) });
    const state = (more: Partial<WorkloadState>): Snapshot => ({
      ...snapshot([draining("n1", 0.2), node("n2", 0.1), node("n3", 0.1)], [etcd, workload("u", "n2", 0.1, more)]),
      migrations: [{ id: "m", workload: "u", from: "n2", to: "n3" }],
    });
    expect(decide(state({}), config(), NOW).moves.map((move) => move.workload)).to.deep.equal(["w"]);
    expect(decide(state(unread), config(), NOW).skips.map(({ reason }) => reason)).to.deep.equal(["disruption-budget"]);
    const gone = { ...state({}), workloads: [etcd] };
    expect(
      decide(gone, config(), NOW).skips.map(({ reason }) => reason),
      "one that nobody places",
    ).to.deep.equal(["disruption-budget"]);
  });

  it("takes all of the node that it has come to, and is not moved on", () => {
    const arrived = workload("u", "n2", 0, { ...unread, lastMovedAt: NOW + 1, lastMovedFrom: "n3" });
    const state = snapshot([draining("n1", 0.2), node("n2", 0.1)], [workload("w", "n1", 0.1), arrived]);
    expect(decide(state, config(), NOW).skips.map(({ reason }) => reason)).to.deep.equal(["target-cpu-full"]);
    expect(canMove(state, config(), NOW, "u", "n1")?.reason).to.equal("workload-unknown-usage");
  });
});

describe("a node of which nobody knows what it runs", () => {
  it("keeps its zone from counting as one that has fewer", () => {
    const silent = (more: Partial<NodeState>) => zoned("n3", "b", { state: "unknown", ...more });
    const fleet = (more: Partial<NodeState>) =>
      snapshot([zoned("n1", "a"), zoned("n2", "b"), silent(more), zoned("n4", "c")], [spread("w", "n1"), spread("v", "n4")]);
    expect(skipOf(fleet({ contentUnknown: true }), "n2")?.reason).to.equal("zone-spread");
    expect(skipOf(fleet({}), "n2"), "what it ran is known: nothing").to.equal(null);
    const remembered = { ...fleet({}), workloads: [spread("w", "n1"), spread("v", "n4"), spread("u", "n3")] };
    expect(skipOf(remembered, "n2")?.because).to.equal("Another zone than b has fewer workloads of group web.");
  });
});
