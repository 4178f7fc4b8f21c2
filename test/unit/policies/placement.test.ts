import { expect } from "chai";
import { canMove } from "../../../policies/can-move.js";
import { parseConstraints } from "../../../policies/constraints.js";
import { openContext } from "../../../policies/context.js";
import { decide } from "../../../policies/decide.js";
import { openTrial } from "../../../policies/ledger.js";
import { drainStatus } from "../../../policies/maintenance/drain-status.js";
import { needOf } from "../../../policies/need.js";
import { volumesTaken } from "../../../policies/placement/company.js";
import type { Constraints, NodeState, WorkloadState } from "../../../policies/types.js";
import { foresee } from "../../../policies/what-if/foresee.js";
import { imagine } from "../../../policies/what-if/imagine.js";
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
  it("is on a node whose CPU can go on with what runs on its own, unless it may be stopped", () => {
    const nodes = [node("n1", 0.1, 0.3, { cpuKind: "new" }), node("n2", 0.1, 0.3, { cpuKind: "old", refusedCpus: ["new"] })];
    expect(why(nodes, [workload("a", "n1", 1)], "n2")).to.equal("target-cpu-differs");
    expect(canMove(snapshot(nodes, [workload("a", "n1", 1)]), config(), NOW, "a", "n2")!.because).to.equal(
      "The CPU of n2 cannot go on with what runs on that of n1, by CRIU's own check.",
    );
    expect(why(nodes, [workload("a", "n2", 1)], "n1"), "the other way round").to.equal(null);
    expect(why(nodes, [bound("a", "n1", { mayGoCold: true })], "n2")).to.equal(null);
    expect(why([node("n1", 0.1), nodes[1]!], [workload("a", "n1", 1)], "n2"), "nothing is known of its own").to.equal(null);
  });
  it("is not sent by any policy to a CPU that refuses it, and a drain says so", () => {
    const older = node("n2", 0.05, 0.3, { refusedCpus: ["new"] });
    const drained = snapshot([{ ...draining("n1", 0.2), cpuKind: "new" }, older], [workload("a", "n1", 1)]);
    expect(decide(drained, config(), NOW).skips.map(({ reason }) => reason)).to.deep.equal(["target-cpu-differs"]);
    const hot = [workload("a", "n1", 2), workload("b", "n1", 2)];
    const kind = { cpuKind: "new" };
    expect(movesOf([node("n1", 0.9, 0.3, kind), older], hot)).to.deep.equal([]);
    expect(movesOf([node("n1", 0.9, 0.3, kind), older, node("n3", 0.3, 0.3, kind)], hot)).to.deep.equal(["a>n3"]);
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
  it("is where what it mounts keeps it: no policy, drain or operator moves it, nor what moves as one with it, until its node is lost", () => {
    const because = "It mounts /srv of this host and may write to it";
    const held = { boundBy: [{ code: "bind-mount", because }] };
    const sentence = `It is bound to n1 by what it mounts (bind-mount: ${because}).`;
    const other = node("n2", 0.05);
    expect(movesOf([node("n1", 0.9), other], [workload("a", "n1", 2, held), workload("b", "n1", 2)])).to.deep.equal(["b>n2"]);
    const drained = (...workloads: WorkloadState[]) => snapshot([draining("n1", 0.2), other], workloads);
    const alone = drained(workload("a", "n1", 1, held));
    const plan = decide(alone, config(), NOW);
    expect(plan.moves).to.deep.equal([]);
    expect(plan.skips.map(({ to, reason, because: said }) => [to, reason, said])).to.deep.equal([[null, "workload-bound", sentence]]);
    expect(drainStatus(alone, "n1").blocked.map(({ because: said }) => said)).to.deep.equal([sentence]);
    expect(canMove(alone, config(), NOW, "a", "n2")).to.include({ reason: "workload-bound", to: "n2", because: sentence });
    const cold = bound("a", "n1", { mode: "cold", mayGoCold: true }, held);
    expect(movesOf([draining("n1", 0.2), other], [cold]), "stopping it does not free it").to.deep.equal([]);
    const asOne = { group: "shop", affinityGroup: "shop" };
    const group = drained(bound("a", "n1", asOne, held), bound("b", "n1", asOne));
    expect(decide(group, config(), NOW).moves).to.deep.equal([]);
    expect(drainStatus(group, "n1").blocked[1]!.because).to.equal(
      `It moves as one with a, of which holds: it is bound to n1 by what it mounts (bind-mount: ${because}).`,
    );
    const lost = imagine(snapshot([node("n1", 0.2), other], [workload("a", "n1", 1, held)]), { lose: ["n1"] });
    expect(decide(lost, config(), NOW).moves.map(({ to }) => to)).to.deep.equal(["n2"]);
    expect(movesOf([draining("n1", 0.2), other], [workload("a", "n1", 1, { boundBy: [] })])).to.deep.equal(["a>n2"]);
  });
  it("is not where another container has its name, running or not, or is about to have it", () => {
    const named = (id: string, on: string) => workload(id, on, 1, { name: "web" });
    const nodes = [node("n1", 0.1), node("n2", 0.1), node("n3", 0.2), node("n4", 0.2, 0.3, { endedNames: ["job", "web"] })];
    const fleet = [named("a", "n1"), named("b", "n2"), workload("c", "n3", 1)];
    expect(canMove(snapshot(nodes, fleet), config(), NOW, "a", "n2")).to.include({
      reason: "target-has-name",
      because: "n2 has, or is about to have, another workload's container named web.",
    });
    expect(why(nodes, fleet, "n3")).to.equal(null);
    expect(canMove(snapshot(nodes, fleet), config(), NOW, "a", "n4")).to.include({
      reason: "target-has-name",
      because: "n4 has a container named web that does not run: rename or remove that one.",
    });
    const coming = snapshot(nodes, fleet, [{ id: "m", workload: "b", from: "n2", to: "n3" }]);
    expect(canMove(coming, config(), NOW, "a", "n3")?.reason).to.equal("target-has-name");
    expect(canMove(coming, config(), NOW, "a", "n2")?.reason, "it may come back").to.equal("target-has-name");
    const both = [draining("n1", 0.2), draining("n2", 0.2), node("n3", 0.05)];
    expect(movesOf(both, fleet.slice(0, 2)), "one of the two").to.have.length(1);
    expect(movesOf([...both, node("n4", 0.1)], fleet.slice(0, 2))).to.have.length(2);
  });
  it("is not where another has a volume of the same name, or is about to have one", () => {
    const data = { volumes: ["cache", "data"] };
    const nodes = [node("n1", 0.1), node("n2", 0.1), node("n3", 0.2)];
    const fleet = [
      workload("a", "n1", 1, data),
      workload("b", "n2", 1, { volumes: ["data"] }),
      workload("c", "n3", 1, { volumes: ["log"] }),
    ];
    expect(canMove(snapshot(nodes, fleet), config(), NOW, "a", "n2")).to.include({
      reason: "target-has-volume",
      because: "n2 has, or is about to have, a volume of the same name (data), which is another workload's.",
    });
    expect(why(nodes, fleet, "n3")).to.equal(null);
    const coming = snapshot(nodes, fleet.slice(0, 2), [{ id: "m", workload: "b", from: "n2", to: "n3" }]);
    expect(canMove(coming, config(), NOW, "a", "n3")?.because).to.contain("(cache, data)");
    const back = snapshot(nodes, [workload("a", "n1", 1, data)], [{ id: "m", workload: "a", from: "n1", to: "n2" }]);
    expect(canMove(back, config(), NOW, "a", "n2")?.reason, "its own is none of another").to.equal("workload-migrating");
  });
  it("is planned apart from those that have a volume of the same name, and goes home with its own", () => {
    const data = { volumes: ["data"] };
    const both = [workload("a", "n1", 1, data), workload("b", "n2", 1, data)];
    const drained = snapshot([draining("n1", 0.2), draining("n2", 0.2), node("n3", 0.05)], both);
    const plan = decide(drained, config(), NOW);
    expect(plan.moves).to.have.length(1);
    expect(plan.skips.map(({ because }) => because)).to.deep.equal([
      "None of 2 other nodes will do: target-maintenance (n1), target-has-volume (n3).",
    ]);
    expect(movesOf([draining("n1", 0.2), draining("n2", 0.2), node("n3", 0.1), node("n4", 0.1)], both)).to.have.length(2);
    const { end, last } = foresee(imagine(snapshot([node("n1", 0.2), node("n3", 0.05)], [both[0]!]), { drain: ["n1"] }), config(), NOW);
    expect(last.skips).to.deep.equal([]);
    const home = { ...end, nodes: end.nodes.map((each) => (each.id === "n1" ? { ...each, maintenance: null } : each)) };
    expect(canMove(home, config(), end.at, "a", "n1"), "it has taken its volume along").to.equal(null);
  });
  it("is judged by no volume of a trial that was taken back", () => {
    const data = { volumes: ["data"] };
    const { fleet, ledger } = openContext(
      snapshot([node("n1", 0.2), node("n2", 0.1)], [workload("a", "n1", 1, data), workload("b", "n1", 1, data)]),
      config(),
      NOW,
    );
    const [a, b] = ["a", "b"].map((id) => fleet.workloadById.get(id)!);
    const trial = openTrial(ledger);
    trial.enter(a!, needOf(a!)!, fleet.nodeById.get("n2")!);
    expect(volumesTaken(ledger.company, b!, "n2")).to.deep.equal(["data"]);
    trial.undo();
    expect(volumesTaken(ledger.company, b!, "n2")).to.deep.equal([]);
    expect(volumesTaken(ledger.company, b!, "n1")).to.deep.equal(["data"]);
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
  it("are not held by those on a node that is not heard, unless one of these is on its way", () => {
    const nodes = [draining("n1", 0.3), node("n2", 0.1), node("n3", 0.1, 0.3, { state: "unknown" })];
    const members = [bound("a", "n1", group), bound("b", "n3", group)];
    expect(movesOf(nodes, members)).to.deep.equal(["a>n2"]);
    expect(movesOf(nodes, [...members, bound("c", "n1", group)])).to.deep.equal(["a>n2", "c>n2"]);
    const onItsWay = { ...snapshot([...nodes, node("n4", 0.2)], members), migrations: [{ id: "m", workload: "b", from: "n3", to: "n4" }] };
    expect(decide(onItsWay, config(), NOW).moves.map(({ to }) => to)).to.deep.equal(["n4"]);
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
