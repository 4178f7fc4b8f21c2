import { expect } from "chai";
import { canMove } from "../../../policies/can-move.js";
import { decide } from "../../../policies/decide.js";
import { config, draining, flatHistory, NOW, node, snapshot, workload } from "./small-fleet.js";

describe("A workload that swings", () => {
  it("is not brought in a lull to where its peak does not fit", () => {
    const lull = { cpuSmoothedCores: 1, cpuPeakCores: 3 };
    // 2 cores are left on n2 below the headroom, 4 on n3.
    const nodes = [draining("n1", 0.5), node("n2", 0.5), node("n3", 0.6, 0.3, { cpuCapacityCores: 32 })];
    const state = snapshot(nodes, [workload("web", "n1", 0.1, lull)]);
    expect(decide(state, config(), NOW).moves.map(({ to }) => to)).to.deep.equal(["n3"]);
    expect(canMove(state, config(), NOW, "web", "n2")).to.include({ reason: "target-cpu-full" });
    expect(canMove(state, config(), NOW, "web", "n2")!.because).to.include("no room for 3.00 cores");
    const calm = snapshot(nodes, [workload("web", "n1", 0.1)]);
    expect(canMove(calm, config(), NOW, "web", "n2")).to.equal(null);
  });

  it("is not taken for what heats its node because it spikes just now", () => {
    const spike = { cpuSmoothedCores: 0.5, cpuPeakCores: 3 };
    const nodes = [node("n1", 0.9), node("n2", 0.1), node("n3", 0.1)];
    const state = snapshot(nodes, [workload("spiking", "n1", 3, spike), workload("steady", "n1", 2.5)]);
    const moves = decide(state, config(), NOW).moves.map(({ workload: id }) => id);
    expect(moves[0]).to.equal("steady");
    const before = snapshot(nodes, [workload("spiking", "n1", 3), workload("steady", "n1", 2.5)]);
    expect(decide(before, config(), NOW).moves[0]!.workload).to.equal("spiking");
  });

  it("does not count as relief that is on its way for more than it uses usually", () => {
    const spike = { cpuSmoothedCores: 0.5, cpuPeakCores: 3 };
    const nodes = [node("n1", 0.9), node("n2", 0.1), node("n3", 0.1)];
    const workloads = (more: object) => [workload("going", "n1", 3, more), workload("other", "n1", 2)];
    const open = [{ id: "m", workload: "going", from: "n1", to: "n2" }];
    expect(decide(snapshot(nodes, workloads(spike), open), config(), NOW).moves.map(({ workload: id }) => id)).to.deep.equal(["other"]);
    expect(decide(snapshot(nodes, workloads({}), open), config(), NOW).moves).to.deep.equal([]);
  });

  it("is not moved to even the fleet out for what it takes for a second", () => {
    const settings = config({ balance: { enabled: true }, cost: { horizonSeconds: 0 } });
    const watched = (id: string, cpuRatio: number) => node(id, cpuRatio, 0.3, { history: flatHistory(cpuRatio, 0.3, NOW, 300) });
    const nodes = [watched("n1", 0.6), watched("n2", 0.2), watched("n3", 0.2)];
    const state = (more: object) => snapshot(nodes, [workload("web", "n1", 1.6, more)]);
    expect(decide(state({}), settings, NOW).moves).to.have.length(1);
    expect(decide(state({ cpuSmoothedCores: 0.05, cpuPeakCores: 1.6 }), settings, NOW).moves).to.deep.equal([]);
  });

  it("keeps no node awake by a peak: not all are at theirs at once", () => {
    const guests = ["a", "b", "c"].map((id) => workload(id, "n1", 0.5, { cpuSmoothedCores: 0.5, cpuPeakCores: 4 }));
    const labels = { "io.evenkeel.may-sleep": "true" };
    const state = snapshot([node("n1", 0.2), node("n2", 0, 0.3, { labels }), node("n3", 0.1)], guests);
    const { power } = decide(state, config({ consolidate: { enabled: true } }), NOW);
    expect(power.map(({ node: id, to }) => `${id} ${to}`)).to.deep.equal(["n2 sleep"]);
  });
});
