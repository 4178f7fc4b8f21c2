import { expect } from "chai";
import fc from "fast-check";
import { type ConsolidateConfig, DEFAULT_CONSOLIDATE_CONFIG } from "../../../policies/consolidate/config.js";
import { consolidate } from "../../../policies/consolidate/consolidate.js";
import type { ConsolidateInput, ConsolidatePlan, PowerNode, PowerWorkload } from "../../../policies/consolidate/types.js";
import type { Constraints } from "../../../policies/types.js";

const CONFIG: ConsolidateConfig = { ...DEFAULT_CONSOLIDATE_CONFIG, spareNodes: 0 };
const NOW = 100_000;
const FREE: Constraints = { mode: "auto", antiAffinityGroup: null, pinnedTo: [] };

function node(id: string, over: Partial<PowerNode> = {}): PowerNode {
  return { id, cpuCapacity: 8, cpuPerWorkload: 8, memoryCapacityBytes: 64, watts: [90, 130], awake: true, closed: false, ...over };
}

function workload(id: string, on: string, cpu: number, over: Partial<PowerWorkload> = {}): PowerWorkload {
  const cpuHistory = Array.from({ length: 30 }, () => cpu);
  return { id, node: on, cpuHistory, cpuLimit: cpu, memoryBytes: 1, lastMovedAt: null, constraints: FREE, ...over };
}

function plan(nodes: PowerNode[], workloads: PowerWorkload[], config: Partial<ConsolidateConfig> = {}): ConsolidatePlan {
  return consolidate({ at: NOW, nodes, workloads }, { ...CONFIG, ...config });
}

function targets(result: ConsolidatePlan): string[] {
  return result.moves.map((move) => `${move.workload} ${move.from}>${move.to} ${move.reason}`);
}

describe("consolidation", () => {
  it("empties the emptier of two nodes when the other has room, and lets it sleep", () => {
    const result = plan([node("a"), node("b")], [workload("w1", "a", 3), workload("w2", "b", 1)]);
    expect(targets(result)).to.deep.equal(["w2 b>a consolidate"]);
    expect(result.sleep).to.deep.equal(["b"]);
  });

  it("empties a node whose CPU is dearer before one that is merely emptier", () => {
    const dear = node("dear", { watts: [90, 200] });
    expect(targets(plan([dear, node("b")], [workload("w1", "dear", 3), workload("w2", "b", 1)]))).to.deep.equal(["w1 dear>b consolidate"]);
  });

  it("empties a node as a whole or not at all", () => {
    const workloads = [workload("w1", "a", 6), workload("w2", "b", 1), workload("w3", "b", 4)];
    expect(plan([node("a"), node("b")], workloads).moves).to.deep.equal([]);
  });

  it("leaves room for the swing of unsteady workloads", () => {
    const swinging = Array.from({ length: 30 }, (_, i) => (i % 2 ? 0 : 4));
    const pair = (history: number[]) => [workload("w1", "a", 5), workload("w2", "b", 2, { cpuHistory: history, cpuLimit: 4 })];
    expect(plan([node("a"), node("b")], pair(swinging.map(() => 2))).moves).to.have.length(1);
    expect(plan([node("a"), node("b")], pair(swinging)).moves).to.deep.equal([]);
  });

  it("relieves an overloaded node with the smallest workload that is enough", () => {
    const workloads = [workload("w1", "a", 4), workload("w2", "a", 3), workload("w3", "a", 2), workload("w4", "b", 5)];
    expect(targets(plan([node("a"), node("b")], workloads))).to.deep.equal(["w3 a>b overload"]);
  });

  it("wakes a node when nowhere else is room", () => {
    const workloads = [workload("w1", "a", 5), workload("w2", "a", 4), workload("w3", "b", 7)];
    const result = plan([node("a"), node("b"), node("c", { awake: false })], workloads);
    expect(targets(result)).to.deep.equal(["w2 a>c overload"]);
    expect(result.wake).to.deep.equal(["c"]);
  });

  it("says which node it could not relieve, and then empties none", () => {
    const workloads = [workload("w1", "a", 9), workload("w2", "b", 1), workload("w3", "c", 1)];
    const result = plan([node("a"), node("b"), node("c")], workloads);
    expect(result.unrelieved).to.deep.equal(["a"]);
    expect(result.moves).to.deep.equal([]);
  });

  it("does not empty a node for less power than its moves are worth", () => {
    const many = ["a", "b"].flatMap((on) => Array.from({ length: 12 }, (_, i) => workload(`${on}${i}`, on, 0.1)));
    expect(plan([node("a"), node("b")], many).moves).to.deep.equal([]);
    expect(plan([node("a"), node("b")], many, { wattHoursPerMove: 5 }).moves).to.have.length(12);
  });

  it("lets a workload rest after a move, so that another node is emptied", () => {
    const pair = (lastMovedAt: number) => [workload("w1", "a", 3), workload("w2", "b", 1, { lastMovedAt })];
    expect(targets(plan([node("a"), node("b")], pair(NOW - 7200)))).to.deep.equal(["w2 b>a consolidate"]);
    expect(targets(plan([node("a"), node("b")], pair(NOW - 60)))).to.deep.equal(["w1 a>b consolidate"]);
  });

  it("keeps hands off what may not move, what is unknown, and closed nodes", () => {
    const pair = (over: Partial<PowerWorkload>) => [workload("w1", "a", 3, over), workload("w2", "b", 1, over)];
    expect(plan([node("a"), node("b")], pair({})).moves).to.have.length(1);
    expect(plan([node("a"), node("b")], pair({ constraints: { ...FREE, mode: "never" } })).moves).to.deep.equal([]);
    expect(plan([node("a"), node("b")], pair({ cpuHistory: [] })).moves).to.deep.equal([]);
    expect(plan([node("a"), node("b")], pair({ constraints: { ...FREE, affinityGroup: "web" } })).moves).to.deep.equal([]);
    expect(plan([node("a"), node("b")], pair({ constraints: { ...FREE, zoneSpreadGroup: "db" } })).moves).to.deep.equal([]);
    expect(plan([node("a", { closed: true }), node("b")], pair({})).moves).to.deep.equal([]);
  });

  it("obeys memory, pins, anti-affinity and what one workload can use", () => {
    const moves = (over: Partial<PowerWorkload>, place: Partial<PowerNode> = {}) =>
      plan([node("a", place), node("b", place)], [workload("w1", "a", 3, over), workload("w2", "b", 1, over)]).moves;
    expect(moves({})).to.have.length(1);
    expect(moves({ memoryBytes: 40 })).to.deep.equal([]);
    expect(moves({ constraints: { ...FREE, antiAffinityGroup: "db" } })).to.deep.equal([]);
    expect(moves({ constraints: { ...FREE, pinnedTo: ["c"] } })).to.deep.equal([]);
    expect(moves({}, { cpuPerWorkload: 0.5 })).to.deep.equal([]);
  });

  it("keeps spare nodes awake", () => {
    const result = plan([node("a"), node("b"), node("c", { awake: false })], [workload("w1", "a", 3)], { spareNodes: 1 });
    expect(result.sleep).to.deep.equal([]);
    expect(plan([node("a"), node("c", { awake: false })], [workload("w1", "a", 3)], { spareNodes: 1 }).wake).to.deep.equal(["c"]);
  });
});

const anyFleet = fc
  .record({
    nodes: fc.array(fc.record({ capacity: fc.integer({ min: 4, max: 16 }), idle: fc.integer({ min: 50, max: 120 }) }), {
      minLength: 1,
      maxLength: 6,
    }),
    workloads: fc.array(
      fc.record({
        on: fc.nat(),
        cpu: fc.array(fc.double({ min: 0, max: 4, noNaN: true }), { maxLength: 8 }),
        memoryBytes: fc.integer({ min: 0, max: 20 }),
        group: fc.constantFrom(null, "g"),
      }),
      { maxLength: 20 },
    ),
  })
  .map(({ nodes, workloads }): ConsolidateInput => {
    return {
      at: NOW,
      nodes: nodes.map((n, i) => node(`n${i}`, { cpuCapacity: n.capacity, watts: [n.idle, n.idle + 40] })),
      workloads: workloads.map((w, i) => ({
        id: `w${i}`,
        node: `n${w.on % nodes.length}`,
        cpuHistory: w.cpu,
        cpuLimit: 4,
        memoryBytes: w.memoryBytes,
        lastMovedAt: null,
        constraints: { ...FREE, antiAffinityGroup: w.group },
      })),
    };
  });

function apply(input: ConsolidateInput, result: ConsolidatePlan): ConsolidateInput {
  const to = new Map(result.moves.map((move) => [move.workload, move.to]));
  const workloads = input.workloads.map((w) => (to.has(w.id) ? { ...w, node: to.get(w.id) as string, lastMovedAt: input.at } : w));
  return { ...input, workloads };
}

describe("a consolidation plan", () => {
  it("moves no workload twice and never breaks memory or anti-affinity on a node that it fills", () => {
    fc.assert(
      fc.property(anyFleet, (input) => {
        const result = consolidate(input, CONFIG);
        expect(new Set(result.moves.map((move) => move.workload)).size).to.equal(result.moves.length);
        const after = apply(input, result).workloads;
        for (const filled of new Set(result.moves.map((move) => move.to))) {
          const here = after.filter((w) => w.node === filled);
          expect(here.reduce((sum, w) => sum + w.memoryBytes, 0)).to.be.at.most(64);
          const cpu = here.reduce((sum, w) => sum + (w.cpuHistory[0] ?? w.cpuLimit), 0);
          expect(cpu).to.be.at.most((input.nodes.find((n) => n.id === filled) as PowerNode).cpuCapacity + 1e-9);
          const arrived = here.filter((w) => result.moves.some((m) => m.workload === w.id) && w.constraints.antiAffinityGroup === "g");
          if (arrived.length > 0) expect(here.filter((w) => w.constraints.antiAffinityGroup === "g")).to.have.length(1);
        }
      }),
    );
  });

  it("computed on the result of a plan is empty", () => {
    fc.assert(
      fc.property(anyFleet, (input) => {
        const again = consolidate(apply(input, consolidate(input, CONFIG)), CONFIG);
        expect(again.moves).to.deep.equal([]);
      }),
    );
  });
});
