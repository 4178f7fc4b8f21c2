import { expect } from "chai";
import { decide } from "../../../policies/decide.js";
import type { Snapshot } from "../../../policies/types.js";
import { config, constraints, draining, NOW, node, snapshot, workload } from "./small-fleet.js";

const away = (override: Partial<Snapshot> = {}): Snapshot => ({
  ...snapshot(
    [node("n1", 0.05), node("n2", 0.4), node("n3", 0.3)],
    [workload("a", "n2", 1, { lastMovedAt: NOW - 60 }), workload("b", "n3", 1), workload("c", "n2", 1)],
  ),
  homecomings: [{ node: "n1", workloads: ["a", "b", "gone"] }],
  ...override,
});
const lines = (state: Snapshot, settings = config()) => {
  const { moves, skips } = decide(state, settings, NOW);
  return [
    ...moves.map(({ workload: id, to, reason }) => `${id} > ${to} ${reason}`),
    ...skips.map(({ workload: id, reason }) => `${id} ${reason}`),
  ];
};

describe("coming home after a drain (a returned node stays empty)", () => {
  it("brings back what was asked for, rested or not, and nothing else", () => {
    expect(lines(away())).to.deep.equal(["a > n1 homecoming", "b > n1 homecoming"]);
    expect(lines(away({ homecomings: [] }))).to.deep.equal([]);
  });
  it("goes nowhere but home, and says what is in the way", () => {
    expect(lines(away({ nodes: [draining("n1", 0.05), node("n2", 0.4), node("n3", 0.3)] }))).to.deep.equal(["a no-target", "b no-target"]);
    const { skips } = decide(away({ nodes: [node("n1", 0.7), node("n2", 0.4), node("n3", 0.3)] }), config(), NOW);
    expect(skips[0]!.because).to.contain("target-cpu-full (n1)");
    const asleep = node("n4", 0, 0.3, { state: "unknown", cpuUsedCores: null, memoryUsedBytes: null, history: [], power: "asleep" });
    const [full] = decide(away({ nodes: [node("n1", 0.7), node("n2", 0.4), node("n3", 0.3), asleep] }), config(), NOW).skips;
    expect(full!.because, "though another sleeps").to.equal("None of 3 other nodes will do: not-home (n3, n4), target-cpu-full (n1).");
    const fixed = away();
    const pinned = fixed.workloads.map((each) => ({ ...each, constraints: constraints({ mode: "never" }) }));
    expect(lines({ ...fixed, workloads: pinned })).to.deep.equal(["a workload-never", "b workload-never"]);
  });
  it("keeps the limits on what moves at once, and waits for a node that is only busy", () => {
    expect(lines(away(), config({ concurrency: { perNode: 1 } }))).to.deep.equal(["a > n1 homecoming", "b target-busy"]);
  });
  it("is over when all are home", () => {
    const state = away();
    const home = { ...state, workloads: state.workloads.map((each) => ({ ...each, node: "n1" })) };
    expect(lines(home)).to.deep.equal([]);
  });
});
