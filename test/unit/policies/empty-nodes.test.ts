import { expect } from "chai";
import { parseWatts } from "../../../policies/consolidate/watts.js";
import { decide } from "../../../policies/decide.js";
import type { LoadPast, NodeState, Snapshot, WorkloadState } from "../../../policies/types.js";
import { config, constraints, flatHistory, GIBIBYTE, NOW, node, snapshot, workload } from "./small-fleet.js";

/** Two more that may not sleep and have room, so that a loss is always borne. */
const SPARE = ["y1", "y2"].map((id) => used(id, 0, { labels: { "io.evenkeel.watts": "90,180" } }));

function used(id: string, cores: number, override: Partial<NodeState> = {}): NodeState {
  const labels = { "io.evenkeel.may-sleep": "true", "io.evenkeel.watts": "90,180" };
  return node(id, cores / 8, 0.2, { history: flatHistory(cores / 8, 0.2, NOW, 400), labels, ...override });
}

/** Watched for hours, around what it uses now. */
function known(id: string, on: string, cores: number, deviation = 0, override: Partial<WorkloadState> = {}): WorkloadState {
  const cpuPast: LoadPast = { at: NOW, seconds: 20_000, mean: cores, variance: deviation ** 2 };
  return workload(id, on, cores, { cpuLimitCores: Math.max(1, cores), cpuPast, ...override });
}

function emptied(workloads: WorkloadState[], given: { nodes?: NodeState[]; settings?: Parameters<typeof config>[0] } = {}): string[] {
  const sum = (id: string) => workloads.reduce((total, each) => total + (each.node === id ? (each.cpuUsedCores ?? 0) : 0), 0);
  const nodes = given.nodes ?? [...new Set(workloads.map((each) => each.node))].map((id) => used(id, sum(id)));
  const state: Snapshot = snapshot([...nodes, ...SPARE], workloads);
  const settings = config({ ...given.settings, consolidate: { enabled: true, ...given.settings?.consolidate } });
  return decide(state, settings, NOW).moves.map(({ workload: id, from, to, reason }) => `${id} ${from}>${to} ${reason}`);
}

describe("emptying nodes", () => {
  it("takes the emptier of two when the other has room", () => {
    expect(emptied([known("w1", "a", 3), known("w2", "b", 1)])).to.deep.equal(["w2 b>a consolidate"]);
  });

  it("takes one whose CPU is dearer before one that is merely emptier", () => {
    const dear = used("dear", 3, { labels: { "io.evenkeel.may-sleep": "true", "io.evenkeel.watts": "90,300" } });
    const moves = emptied([known("w1", "dear", 3), known("w2", "b", 1)], { nodes: [dear, used("b", 1)] });
    expect(moves).to.deep.equal(["w1 dear>b consolidate"]);
  });

  it("takes a node as a whole or not at all", () => {
    expect(emptied([known("w1", "a", 5), known("w2", "b", 0.5), known("w3", "b", 4)])).to.deep.equal([]);
  });

  it("leaves room for the swing of unsteady workloads, by what each has shown", () => {
    const pair = (deviation: number) => [known("w1", "a", 3), known("w2", "b", 2, deviation)];
    expect(emptied(pair(0))).to.have.length(1);
    expect(emptied(pair(1))).to.deep.equal([]);
  });

  it("lets many unsteady workloads even each other out", () => {
    const others = (count: number, deviation: number) => Array.from({ length: count }, (_, i) => known(`a${i}`, "a", 3 / count, deviation));
    const together = (count: number, deviation: number) => emptied([...others(count, deviation), known("z", "b", 1)]);
    expect(together(1, 1.5)).to.deep.equal([]);
    expect(together(9, 1.5 / 9)).to.deep.equal(["z b>a consolidate"]);
  });

  it("takes one that was seen for a short while for unsteady", () => {
    const seen = (seconds: number) => [
      known("w1", "a", 4.6),
      known("w2", "b", 0.5, 0, { cpuLimitCores: 8, cpuPast: { at: NOW, seconds, mean: 0.5, variance: 0 } }),
    ];
    expect(emptied(seen(20_000))).to.have.length(1);
    expect(emptied(seen(0))).to.deep.equal([]);
  });

  it("does not empty a node for less power than its moves are worth", () => {
    const many = ["a", "b"].flatMap((on) => Array.from({ length: 12 }, (_, i) => known(`${on}${i}`, on, 0.1)));
    expect(emptied(many)).to.deep.equal([]);
    expect(emptied(many, { settings: { consolidate: { wattHoursPerMove: 5 } } })).to.have.length(12);
  });

  it("lets workloads rest after a move, so that another node is emptied", () => {
    const pair = (lastMovedAt: number) => [known("w1", "a", 3), known("w2", "b", 1, 0, { lastMovedAt })];
    expect(emptied(pair(NOW - 7200))).to.deep.equal(["w2 b>a consolidate"]);
    expect(emptied(pair(NOW - 60))).to.deep.equal(["w1 a>b consolidate"]);
  });

  it("keeps hands off what may not move and what is unknown", () => {
    const pair = (override: Partial<WorkloadState>) => [known("w1", "a", 3, 0, override), known("w2", "b", 1, 0, override)];
    expect(emptied(pair({}))).to.have.length(1);
    expect(emptied(pair({ constraints: constraints({ mode: "never" }) }))).to.deep.equal([]);
    expect(emptied(pair({ cpuUsedCores: null }), { nodes: [used("a", 3), used("b", 1)] })).to.deep.equal([]);
    expect(emptied(pair({ memoryUsedBytes: null }))).to.deep.equal([]);
    expect(emptied(pair({ constraints: constraints({ antiAffinityGroup: "db" }) }))).to.deep.equal([]);
    expect(emptied(pair({ memoryUsedBytes: 15 * GIBIBYTE }))).to.deep.equal([]);
  });

  it("fills no node beyond what is left beside a guest of unknown use, which may take all it is allowed", () => {
    const guest = (cpuLimitCores: number) => workload("x", "a", null, { cpuLimitCores });
    const pinned = { constraints: constraints({ mode: "never" }) };
    const state = (cpuLimitCores: number) => [known("w1", "a", 1, 0, pinned), guest(cpuLimitCores), known("w2", "b", 2)];
    expect(emptied(state(1), { nodes: [used("a", 1), used("b", 2)] })).to.deep.equal(["w2 b>a consolidate"]);
    expect(emptied(state(5), { nodes: [used("a", 1), used("b", 2)] })).to.deep.equal([]);
  });

  it("does not begin what would leave a node that no others could take over, as long as the rest waits its turn", () => {
    const labels = (most: number) => ({ labels: { "io.evenkeel.watts": `90,${most}` } });
    const sized = (id: string, cores: number, cpuCapacityCores: number, override: Partial<NodeState> = {}) =>
      used(id, cores, {
        cpuCapacityCores,
        cpuUsedCores: cores,
        history: flatHistory(cores / cpuCapacityCores, 0.2, NOW, 400),
        ...override,
      });
    const nodes = [sized("s", 2.2, 4), sized("h", 1.1, 8, labels(180)), sized("k", 0.1, 8, labels(180)), sized("u", 5, 16, labels(400))];
    const pinned =
      (id: string, on: string, cores: number, ...pinnedTo: string[]) =>
      (moving: number) =>
        known(id, on, cores, 0, { constraints: constraints({ pinnedTo: [on, ...pinnedTo], disruptionBudget: { group: "b", moving } }) });
    // When w is on h, u's larger guest goes to k, should u be lost, and leaves h to the smaller one; as long as w waits, h is the emptiest and takes the larger.
    const workloads = (moving: number) => [
      pinned("x", "s", 1.2, "k", "u")(moving),
      pinned("w", "s", 1, "h", "u")(moving),
      known("h0", "h", 0.1),
      known("k0", "k", 0.1),
      known("large", "u", 4),
      pinned("small", "u", 1, "h")(9),
    ];
    const plan = (moving: number) => decide(snapshot(nodes, workloads(moving)), config({ consolidate: { enabled: true } }), NOW);
    expect(plan(2).moves.map(({ workload: id, to }) => `${id} ${to}`)).to.deep.equal(["x k", "w h"]);
    expect(plan(1).moves).to.deep.equal([]);
    expect(plan(1).power).to.deep.equal([]);
  });

  it("empties as many at once as the fleet's limit lets begin, and carries nothing on that was just brought", () => {
    const eight = Array.from({ length: 8 }, (_, i) => known(`w${i}`, `n${i}`, 0.5));
    expect(emptied(eight, { settings: { concurrency: { perNode: 10, fleet: 2 } } })).to.have.length(2);
    const moves = emptied(eight);
    expect(moves).to.have.length(4);
    const arrivedAt = new Set(moves.map((move) => move.split(/[ >]/)[2]));
    for (const move of moves) expect(arrivedAt.has(move.split(/[ >]/)[1])).to.equal(false);
  });
});

describe("a node's power curve", () => {
  it("is read from its label, and a bad one is known", () => {
    expect(parseWatts("86, 100, 117")).to.deep.equal([86, 100, 117]);
    expect(parseWatts("86")).to.equal(null);
    expect(parseWatts("86,,117")).to.equal(null);
    expect(parseWatts("86,many")).to.equal(null);
    expect(parseWatts(undefined)).to.equal(null);
  });
});
