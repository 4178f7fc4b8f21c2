import { expect } from "chai";
import { canMove } from "../../../policies/can-move.js";
import { parseConstraints } from "../../../policies/constraints.js";
import { decide } from "../../../policies/decide.js";
import type { Constraints, NodeState, WorkloadState } from "../../../policies/types.js";
import { config, constraints, draining, NOW, node, snapshot, workload } from "./small-fleet.js";

const bound = (id: string, on: string, override: Partial<Constraints>, more: Partial<WorkloadState> = {}) =>
  workload(id, on, 0.5, { constraints: constraints(override), ...more });
const zoned = (id: string, zone: string, override: Partial<NodeState> = {}) =>
  node(id, 0.1, 0.3, { labels: { "io.evenkeel.zone": zone }, ...override });
const why = (nodes: NodeState[], workloads: WorkloadState[], to: string) =>
  canMove(snapshot(nodes, workloads), config(), NOW, workloads[0]!.id, to)?.reason ?? null;
const movesOf = (nodes: NodeState[], workloads: WorkloadState[], settings = config()) =>
  decide(snapshot(nodes, workloads), settings, NOW).moves.map(({ workload, to }) => `${workload}>${to}`);

describe("where a workload may be", () => {
  it("is not on a cordoned node, which keeps what it has", () => {
    const nodes = [node("n1", 0.1), node("n2", 0.1, 0.3, { cordoned: true })];
    expect(why(nodes, [workload("a", "n1", 1)], "n2")).to.equal("target-cordoned");
    expect(movesOf(nodes, [workload("a", "n2", 1)])).to.deep.equal([]);
  });
  it("is on a node of its architecture, as far as both are known", () => {
    const nodes = [node("n1", 0.1), node("n2", 0.1, 0.3, { architecture: "aarch64" })];
    expect(why(nodes, [workload("a", "n1", 1, { architecture: "x86_64" })], "n2")).to.equal("target-incompatible");
    expect(why(nodes, [workload("a", "n1", 1, { architecture: "aarch64" })], "n2")).to.equal(null);
    expect(why(nodes, [workload("a", "n1", 1)], "n2"), "of its own node nothing is known").to.equal(null);
    const known = [node("n1", 0.1, 0.3, { architecture: "x86_64" }), nodes[1]!];
    expect(why(known, [workload("a", "n1", 1)], "n2"), "it runs natively where it is").to.equal("target-incompatible");
    expect(why([known[0]!, node("n2", 0.1, 0.3, { architecture: "x86_64" })], [workload("a", "n1", 1)], "n2")).to.equal(null);
  });
  it("is where its networks are, as far as both are known", () => {
    const nodes = [node("n1", 0.1), node("n2", 0.1, 0.3, { networks: ["bridge", "front"] }), node("n3", 0.1)];
    const both = workload("a", "n1", 1, { networks: ["front", "back"] });
    expect(why(nodes, [both], "n2")).to.equal("target-without-network");
    expect(canMove(snapshot(nodes, [both]), config(), NOW, "a", "n2")!.because).to.equal(
      "n2 has no network back, which it is attached to.",
    );
    expect(why(nodes, [workload("a", "n1", 1, { networks: ["front"] })], "n2")).to.equal(null);
    expect(why(nodes, [both], "n3"), "a node of which nothing is known").to.equal(null);
    expect(why(nodes, [workload("a", "n1", 1)], "n2"), "a workload of which nothing is known").to.equal(null);
  });
  it("is not sent by any policy to where a network is missing, and the plan names it", () => {
    const without = node("n2", 0.05, 0.3, { networks: ["bridge"] });
    const lan = { networks: ["lan"] };
    const drained = snapshot([draining("n1", 0.2), without], [workload("a", "n1", 1, lan)]);
    expect(decide(drained, config(), NOW).skips.map(({ reason, because }) => [reason, because])).to.deep.equal([
      ["target-without-network", "n2 has no network lan, which it is attached to."],
    ]);
    const hot = [workload("a", "n1", 2, lan), workload("b", "n1", 2, lan)];
    expect(movesOf([node("n1", 0.9), without], hot)).to.deep.equal([]);
    expect(movesOf([node("n1", 0.9), without, node("n3", 0.3, 0.3, { networks: ["bridge", "lan"] })], hot)).to.deep.equal(["a>n3"]);
  });
  it("is in a zone of its own as long as there are enough, and evenly spread after that", () => {
    const nodes = [zoned("n1", "a"), zoned("n2", "b"), zoned("n3", "c"), zoned("n4", "a")];
    const spread = { zoneSpreadGroup: "web" };
    expect(why(nodes, [bound("w1", "n1", spread), bound("w2", "n2", spread)], "n2")).to.equal("zone-spread");
    expect(why(nodes, [bound("w1", "n1", spread), bound("w2", "n2", spread)], "n3")).to.equal(null);
    expect(why(nodes, [bound("w1", "n1", spread), bound("w2", "n2", spread)], "n4")).to.equal(null);
    const full = [bound("w1", "n1", spread), bound("w2", "n2", spread), bound("w3", "n3", spread), bound("w4", "n4", spread)];
    expect(why(nodes, full, "n2")).to.equal(null);
  });
});

describe("workloads that belong together", () => {
  const group = { affinityGroup: "app" };
  it("are not torn apart for levelling", () => {
    const plan = decide(snapshot([node("n1", 0.9), node("n2", 0.1)], [bound("a", "n1", group), bound("b", "n1", group)]), config(), NOW);
    expect(plan.moves).to.deep.equal([]);
    expect(plan.skips.map(({ reason }) => reason)).to.deep.equal(["affinity", "affinity"]);
  });
  it("leave a draining node for the same target, one that has room for all", () => {
    const nodes = [draining("n1", 0.3), node("n2", 0.65), node("n3", 0.55)];
    expect(movesOf(nodes, [bound("a", "n1", group), bound("b", "n1", group)])).to.deep.equal(["a>n3", "b>n3"]);
  });
  it("follow those who have gone before, and go before others", () => {
    const nodes = [draining("n1", 0.3), node("n2", 0.1), node("n3", 0.5)];
    const others = [bound("0-other", "n1", {}), bound("a", "n1", group)];
    const settings = config({ concurrency: { fleet: 1 } });
    expect(movesOf(nodes, [...others, bound("b", "n3", group)], settings)).to.deep.equal(["a>n3"]);
  });
  it("may be torn by nobody, an operator included", () => {
    const nodes = [node("n1", 0.1), node("n2", 0.1), node("n3", 0.1)];
    expect(why(nodes, [bound("a", "n1", group), bound("b", "n2", group)], "n3")).to.equal("affinity");
    expect(why(nodes, [bound("a", "n1", group), bound("b", "n2", group)], "n2")).to.equal(null);
  });
});

describe("repairing placement", () => {
  const repairing = config({ placement: { repair: true } });
  it("brings a workload to where it is pinned", () => {
    expect(movesOf([node("n1", 0.1), node("n2", 0.1)], [bound("a", "n1", { pinnedTo: ["n2"] })], repairing)).to.deep.equal(["a>n2"]);
    expect(movesOf([node("n1", 0.1), node("n2", 0.1)], [bound("a", "n1", { pinnedTo: ["n2"] })])).to.deep.equal([]);
  });
  it("parts two that must be apart by moving one of them", () => {
    const apart = { antiAffinityGroup: "db" };
    expect(movesOf([node("n1", 0.1), node("n2", 0.1)], [bound("a", "n1", apart), bound("b", "n1", apart)], repairing)).to.deep.equal([
      "b>n2",
    ]);
  });
  it("brings the few of a group to the many", () => {
    const group = { affinityGroup: "app" };
    const nodes = [node("n1", 0.1), node("n2", 0.1)];
    expect(movesOf(nodes, [bound("a", "n1", group), bound("b", "n2", group), bound("c", "n2", group)], repairing)).to.deep.equal(["a>n2"]);
    expect(movesOf(nodes, [bound("a", "n1", group), bound("b", "n2", group)], repairing)).to.deep.equal(["b>n1"]);
  });
});

describe("labels of placement", () => {
  const read = (labels: Record<string, string>) => parseConstraints(labels);
  it("are read", () => {
    const labels = {
      "io.evenkeel.affinity": "app",
      "io.evenkeel.zone-spread": "web",
      "io.evenkeel.disruption-budget": "web/2",
      "io.evenkeel.priority": "10",
    };
    expect(read(labels)).to.deep.include({
      affinityGroup: "app",
      zoneSpreadGroup: "web",
      disruptionBudget: { group: "web", moving: 2 },
      priority: 10,
    });
  });
  it("fail safe: a budget without a readable count lets one move at a time", () => {
    for (const label of ["web", "web/", "web/0", "web/x"]) {
      expect(read({ "io.evenkeel.disruption-budget": label }).disruptionBudget).to.deep.equal({ group: "web", moving: 1 });
    }
  });
  it("take a priority that is no number for the usual one", () => {
    expect(read({ "io.evenkeel.priority": "high" })).to.not.have.property("priority");
  });
});
