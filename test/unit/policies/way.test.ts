import { expect } from "chai";
import { generateCluster } from "../../../bench/planner/cluster.js";
import { applyPlan } from "../../../policies/apply-plan.js";
import { decide } from "../../../policies/decide.js";
import type { NodeState, Plan, Snapshot } from "../../../policies/types.js";
import { config, constraints, flatHistory, GIBIBYTE, NOW, node, snapshot, steady, workload } from "./small-fleet.js";

const levelling = config({ balance: { enabled: true }, cost: { horizonSeconds: 0 } });
const several = (count: number, on: string, cores: number) =>
  Array.from({ length: count }, (_, index) => workload(`${on}-${index}`, on, cores));
const told = ({ moves }: Plan) => moves.map(({ workload: id, to, reason }) => `${id}>${to} ${reason}`);

/** The plan is done, and the nodes have been watched since for as long as balance asks for. */
function later(state: Snapshot, plan: Plan): Snapshot {
  const at = plan.at + 400;
  const after = applyPlan(state, plan);
  const nodes = after.nodes.map((node) => {
    const { cpuRatio, memoryRatio } = node.history.at(-1)!;
    return { ...node, history: flatHistory(cpuRatio, memoryRatio, at, 400) };
  });
  return { ...after, at, nodes };
}

describe("a way that levels the whole fleet", function () {
  // Each plan seeks one.
  this.timeout(60_000);

  /** One of its nodes has 16 cores, and a workload of 12.8 that no single move takes off it: it would be left next to empty. */
  const fleet = () => {
    const { nodes, ...rest } = generateCluster(20, 80, 3);
    const history = (node: NodeState) =>
      flatHistory(node.cpuUsedCores! / node.cpuCapacityCores, node.memoryUsedBytes! / node.memoryCapacityBytes, NOW, 400);
    return { ...rest, at: NOW, nodes: nodes.map((node) => ({ ...node, history: history(node) })) };
  };

  it("makes moves that gain nothing by themselves, where others of it gain by them", () => {
    const { moves } = decide(fleet(), levelling, NOW);
    const enabling = moves.filter(({ because }) => because.startsWith("Evens the fleet out with others that count on it: "));
    expect(enabling.length).to.be.greaterThan(0);
    for (const { because } of enabling)
      expect(because).to.match(/ distance from level \d+\.\d % to \d+\.\d %, and to \d\.\d % in the end\.$/);
  });

  it("has what cannot begin yet wait for the room that is being left, and says so", () => {
    const { moves, skips } = decide(fleet(), levelling, NOW);
    const waiting = skips.filter(({ reason }) => reason === "room-being-made");
    expect(waiting.length).to.be.greaterThan(0);
    for (const { to, because } of waiting) {
      expect(because).to.equal(`Room is being made for it on ${to}: it goes there once what leaves has left.`);
      expect(moves.map(({ from }) => from)).to.include(to);
    }
  });

  it("is gone to its end by a few plans, each of which brings the fleet nearer to level", () => {
    let state: Snapshot = fleet();
    const fullest = () => Math.max(...state.nodes.map(({ cpuUsedCores, cpuCapacityCores }) => cpuUsedCores! / cpuCapacityCores));
    expect(fullest()).to.be.greaterThan(0.9);
    for (let plans = 0; plans < 4; plans++) {
      const plan = decide(state, levelling, state.at);
      if (plan.moves.length === 0) break;
      expect(plan.imbalanceAfter!).to.be.lessThan(plan.imbalanceBefore!);
      state = later(state, plan);
    }
    expect(fullest()).to.be.lessThan(0.65);
  });

  it("counts what is under way: a node that will be full enough gets no more", () => {
    const state = snapshot([steady("n1", 0.7), steady("n2", 0.1), steady("n3", 0.35)], [...several(5, "n1", 1), workload("x", "n1", 0.1)]);
    const underWay = ["n1-0", "n1-1"].map((id) => ({ id, workload: id, from: "n1", to: "n2" }));
    expect(decide(state, levelling, NOW).moves.length).to.be.greaterThan(0);
    expect(decide({ ...state, migrations: underWay }, levelling, NOW).moves).to.deep.equal([]);
  });

  it("is kept off nodes that hold, or are about to hold, another of a group", () => {
    const group = constraints({ antiAffinityGroup: "db" });
    const state = snapshot(
      [steady("n1", 0.7), steady("n2", 0), steady("n3", 0.6)],
      [...several(2, "n1", 1), workload("a", "n1", 2.5, { constraints: group }), workload("b", "n3", 0.1, { constraints: group })],
    );
    const coming = { ...state, migrations: [{ id: "m", workload: "b", from: "n3", to: "n2" }] };
    expect(decide(coming, levelling, NOW).moves.filter(({ workload: id }) => id === "a")).to.deep.equal([]);
  });

  it("leaves a node out to which somebody of unknown size is moving, or from which one has just gone, and levels the others", () => {
    const unknown = workload("u", "n4", null);
    const state = snapshot(
      [steady("n1", 0.7), steady("n2", 0.1), steady("n3", 0.3), steady("n4", 0.1)],
      [...several(5, "n1", 1), ...several(2, "n3", 1), unknown],
    );
    for (const [from, to] of [
      ["n4", "n3"],
      ["n3", "n4"],
    ] as const) {
      const { moves } = decide({ ...state, migrations: [{ id: "m", workload: "u", from, to }] }, levelling, NOW);
      expect(moves.length, `${from} to ${to}`).to.be.greaterThan(0);
      expect(moves.flatMap((move) => [move.from, move.to])).to.not.include("n3");
    }
  });

  it("takes nobody off a node for the room that it keeps for one that runs elsewhere already", () => {
    const state = snapshot(
      [steady("n1", 0.5), steady("n2", 0.5), steady("n3", 0.45)],
      [...several(4, "n1", 1), workload("gone", "n2", 3.5), ...several(3, "n3", 1)],
    );
    expect(decide(state, levelling, NOW).moves).to.deep.equal([]);
    expect(decide({ ...state, migrations: [{ id: "m", workload: "gone", from: "n1", to: "n2" }] }, levelling, NOW).moves).to.deep.equal([]);
  });
});

describe("relief where the fleet is levelled as well", () => {
  const heavy = { memoryUsedBytes: 2 * GIBIBYTE };
  /** n2 has the least CPU in use, and much of its memory. */
  const hotFleet = () =>
    snapshot(
      [steady("n1", 0.9, 0.5), steady("n2", 0.1, 0.6), steady("n3", 0.2, 0.1)],
      [workload("a", "n1", 3, heavy), workload("b", "n1", 2, heavy), workload("c", "n1", 2, heavy)],
    );

  it("takes what levels both resources, and not one at the expense of the other", () => {
    expect(told(decide(hotFleet(), config({ cost: { horizonSeconds: 0 } }), NOW))).to.deep.equal(["a>n2 overload"]);
    const moves = told(decide(hotFleet(), levelling, NOW));
    expect(moves[0]).to.match(/^[abc]>n3 overload$/);
  });

  it("goes on with single moves where the way has none that may begin", () => {
    const group = constraints({ affinityGroup: "pair" });
    const state = snapshot([steady("n1", 0.9), steady("n2", 0.1)], [workload("a", "n1", 3, { constraints: group })]);
    expect(told(decide(state, levelling, NOW))).to.deep.equal(["a>n2 overload"]);
  });

  it("is as before where balance is off, or power is being saved", () => {
    const saving = config({ balance: { enabled: true }, consolidate: { enabled: true }, cost: { horizonSeconds: 0 } });
    expect(told(decide(hotFleet(), saving, NOW))).to.deep.equal(["a>n2 overload"]);
  });

  it("disturbs nobody of higher priority for one that matters less", () => {
    const important = { ...heavy, constraints: constraints({ priority: 5 }) };
    const state = snapshot(
      [steady("n1", 0.9, 0.5), steady("n2", 0.1, 0.3), steady("n3", 0.2, 0.1)],
      [workload("a", "n1", 3, important), workload("b", "n1", 2, heavy), workload("c", "n1", 2, heavy)],
    );
    const moved = decide(state, levelling, NOW).moves.filter(({ from }) => from === "n1");
    expect(moved.length).to.be.greaterThan(0);
    expect(moved.map(({ workload: id }) => id)).to.not.include("a");
  });

  it("does not wait for a move that cannot end, its source not being heard", () => {
    const oneEach = config({ balance: { enabled: true }, cost: { horizonSeconds: 0 }, concurrency: { perNode: 1, fleet: 10 } });
    const silent = node("n4", 0, 0, { state: "unknown" });
    const state = snapshot(
      [steady("n1", 0.9), steady("n2", 0.05), steady("n3", 0.25), silent],
      [workload("a", "n1", 3), workload("b", "n4", 0.1)],
      [{ id: "m", workload: "b", from: "n4", to: "n2" }],
    );
    expect(told(decide(state, oneEach, NOW))).to.deep.equal(["a>n3 overload"]);
    const heard = { ...state, nodes: [...state.nodes.slice(0, 3), steady("n4", 0.4)] };
    expect(told(decide(heard, oneEach, NOW))).to.deep.equal([]);
    const mute = { ...state, nodes: [...state.nodes.slice(0, 3), { ...steady("n4", 0.4), executorSilent: true }] };
    expect(told(decide(mute, oneEach, NOW)), "its executor").to.deep.equal(["a>n3 overload"]);
  });

  it("makes way on a full node by what leaves it anyway, and waits for that", () => {
    // Only n2 has the memory for a, and not the CPU while b is there.
    const a = workload("a", "n1", 4, { memoryUsedBytes: 6 * GIBIBYTE });
    const state = snapshot(
      [steady("n1", 0.85, 0.5), steady("n2", 0.7, 0.2), steady("n3", 0.1, 0.55)],
      [a, workload("rest", "n1", 2.8, { constraints: constraints({ mode: "never" }) }), workload("b", "n2", 4.5), workload("d", "n2", 1)],
    );
    const plan = decide(state, levelling, NOW);
    expect(told(plan)[0]).to.equal("b>n3 room");
    expect(plan.moves[0]!.because).to.match(/^Makes room on n2 for a, which n1 must lose; it uses 4\.50 cores and 512 MiB\.$/);
    expect(plan.skips.find(({ workload: id }) => id === "a")).to.include({ reason: "room-being-made", to: "n2" });
  });
});
