import { expect } from "chai";
import { parseConstraints } from "../../../policies/constraints.js";
import { decide } from "../../../policies/decide.js";
import { drainStatus } from "../../../policies/maintenance/drain-status.js";
import { whyNoLongerWanted, whyReasonGone } from "../../../policies/still-wanted.js";
import { config, constraints, draining, flatHistory, GIBIBYTE, NOW, node, snapshot, workload } from "./small-fleet.js";
import { runTicks } from "./ticking-fleet.js";

/** Room for the images of what moves is not what these tests are about. */
const large = { memoryCapacityBytes: 64 * GIBIBYTE };

describe("what users of other rebalancers complain about", function () {
  // Seconds of CPU for some of these, and many more on a crowded machine.
  this.timeout(120_000);
  it("ping-pong: a fleet with steady load is levelled once and then left alone", () => {
    const state = snapshot(
      [node("n1", 0.95), node("n2", 0), node("n3", 0)],
      [1.9, 1.7, 1.5, 1.3, 1.2].map((cores, index) => workload(`w${index}`, "n1", cores)),
    );
    const { moves } = runTicks(state, config({ cooldownSeconds: 0 }), 300);
    expect(moves.length).to.be.within(1, 4);
    expect(new Set(moves.map((move) => move.workload)).size).to.equal(moves.length);
    expect(Math.max(...moves.map((move) => move.at))).to.be.lessThan(NOW + 600);
  });

  it("ping-pong: a fleet that no move makes better is left as it is, and says so", () => {
    const on = (id: string, count: number) => Array.from({ length: count }, (_, index) => workload(`${id}-${index}`, id, 2.5));
    const state = snapshot([node("n1", 0.94), node("n2", 0.62), node("n3", 0.62)], [...on("n1", 3), ...on("n2", 2), ...on("n3", 2)]);
    const { moves, plans } = runTicks(state, config({ cooldownSeconds: 0 }), 200);
    expect(moves).to.deep.equal([]);
    expect(new Set(plans.at(-1)!.skips.map(({ reason }) => reason))).to.deep.equal(new Set(["target-cpu-full"]));
  });

  it("ping-pong: one workload too large for any node is not carried round and round", () => {
    const state = snapshot([node("n1", 0.9), node("n2", 0), node("n3", 0)], [workload("giant", "n1", 7.2)]);
    expect(runTicks(state, config({ cooldownSeconds: 0, headroom: { cpuRatio: 0.95 } }), 200).moves).to.deep.equal([]);
  });

  it("ping-pong: load that swings within the hold time moves nothing", () => {
    const state = snapshot([node("n1", 0.5), node("n2", 0.5)], [workload("a", "n1", 3), workload("b", "n1", 1), workload("c", "n2", 4)]);
    const swing = (id: string, tick: number) => (id === "a" ? (tick % 10 < 5 ? 6.4 : 1) : undefined);
    expect(runTicks(state, config(), 300, swing).moves).to.deep.equal([]);
  });

  it("ping-pong and pointless moves: what would only carry the imbalance to the other node stays, though balance is on", () => {
    const fixed = { constraints: constraints({ mode: "never" }) };
    const fleet = (...onFirst: ReturnType<typeof workload>[]) =>
      snapshot([node("n1", 0.5), node("n2", 0.1)], [...onFirst, workload("other", "n2", 0.8, fixed)]);
    const settings = config({ cooldownSeconds: 0, cost: { horizonSeconds: 0 }, balance: { enabled: true, windowSeconds: 60 } });
    expect(runTicks(fleet(workload("large", "n1", 4)), settings, 200).moves).to.deep.equal([]);
    const { moves } = runTicks(fleet(workload("half", "n1", 2), workload("rest", "n1", 2, fixed)), settings, 200);
    expect(
      moves.map(({ workload: id, to }) => `${id}>${to}`),
      "one that evens the two out moves, once",
    ).to.deep.equal(["half>n2"]);
  });

  it("a spike taken for load: most of a minute at full tilt moves nothing, two minutes do", () => {
    const state = snapshot(
      [node("n1", 0.4), node("n2", 0.1)],
      [workload("a", "n1", 2), workload("b", "n1", 1.2), workload("c", "n2", 0.8)],
    );
    const burst = (ticks: number) => (id: string, tick: number) => (id === "a" && tick > 20 && tick <= 20 + ticks ? 6 : undefined);
    const back = (ticks: number) => (id: string, tick: number) => burst(ticks)(id, tick) ?? (id === "a" ? 2 : undefined);
    // Long enough for the smoothed reading to pass the bound as well.
    expect(runTicks(state, config(), 60, back(5)).moves).to.deep.equal([]);
    expect(runTicks(state, config(), 60, back(12)).moves.length).to.be.greaterThan(0);
  });

  it("instantaneous load used: a single reading over the bound, or a smoothed one that lags behind, moves nothing", () => {
    const workloads = [workload("a", "n1", 3)];
    const spiked = node("n1", 0.5, 0.3, { history: [...flatHistory(0.5, 0.3, NOW - 10), { at: NOW, cpuRatio: 0.99, memoryRatio: 0.3 }] });
    const { moves, verdicts } = decide(snapshot([spiked, node("n2", 0.1)], workloads), config({ overload: { holdSeconds: 0 } }), NOW);
    expect(moves).to.deep.equal([]);
    expect(verdicts[0]!.verdict).to.equal("warming");
    const calmed = node("n1", 0.9, 0.3, { history: [...flatHistory(0.9, 0.3, NOW - 10), { at: NOW, cpuRatio: 0.3, memoryRatio: 0.3 }] });
    const later = decide(snapshot([calmed, node("n2", 0.1)], workloads), config(), NOW);
    expect(later.moves).to.deep.equal([]);
    expect(later.verdicts[0]!.verdict).to.equal("level");
  });

  it("destination overcommitted: what is on its way there counts as if it were there", () => {
    const state = snapshot(
      // n2 would be the emptier of the two, were it not for what is on its way there.
      [draining("n1", 0.3), node("n2", 0.1, 0.7875, large), node("n3", 0.1, 0.825, large)],
      [workload("a", "n1", 0.1, { memoryUsedBytes: 4 * GIBIBYTE }), workload("b", "n3", 0.1, { memoryUsedBytes: 4 * GIBIBYTE })],
      [{ id: "m", workload: "b", from: "n3", to: "n2" }],
    );
    expect(decide(state, config(), NOW).moves.map((move) => move.to)).to.deep.equal(["n3"]);
  });

  it("destination overcommitted: several moves of one plan share its room", () => {
    const workloads = ["a", "b", "c", "d"].map((id) => workload(id, "n1", 0.1, { memoryUsedBytes: 4 * GIBIBYTE }));
    const plan = decide(snapshot([draining("n1", 0.3, 0.99), node("n2", 0.1, 0.75, large)], workloads), config(), NOW);
    expect(plan.moves).to.have.length(2);
    expect(plan.skips.map((skip) => skip.reason)).to.deep.equal(["target-memory-full", "target-memory-full"]);
  });

  it("destination overcommitted: room that a move will free is not given away before it is free", () => {
    const state = snapshot(
      [draining("n1", 0.3), node("n2", 0.9, 0.5), node("n3", 0.05, 0.85)],
      [workload("a", "n1", 0.5, { memoryUsedBytes: 2 * GIBIBYTE }), workload("b", "n2", 3, { memoryUsedBytes: GIBIBYTE / 4 })],
    );
    const plan = decide(state, config(), NOW);
    expect(plan.moves.map((move) => move.workload)).to.deep.equal(["b"]);
    expect(plan.skips.find((skip) => skip.workload === "a")!.reason).to.equal("room-being-made");
  });

  it("anti-affinity ignored: two of a group never meet, not even within one plan or on the way", () => {
    const group = constraints({ antiAffinityGroup: "db" });
    const both = snapshot(
      [draining("n1", 0.3), draining("n2", 0.3), node("n3", 0.1)],
      [workload("a", "n1", 0.1, { constraints: group }), workload("b", "n2", 0.1, { constraints: group })],
    );
    const plan = decide(both, config(), NOW);
    expect(plan.moves.map((move) => move.workload)).to.deep.equal(["a"]);
    expect(plan.skips[0]!.because).to.include("anti-affinity (n3)");
    const onTheWay = { ...both, migrations: [{ id: "m", workload: "a", from: "n1", to: "n3" }] };
    expect(decide(onTheWay, config(), NOW).moves).to.deep.equal([]);
  });

  it("no cool-down across restarts: rest is counted from what the snapshot says, not from what a process remembers", () => {
    const state = (lastMovedAt: number | null) => snapshot([node("n1", 0.9), node("n2", 0.1)], [workload("a", "n1", 3, { lastMovedAt })]);
    expect(decide(state(NOW - 300), config(), NOW).skips[0]!.reason).to.equal("workload-cooling-down");
    expect(decide(state(null), config(), NOW).moves).to.have.length(1);
  });

  it("drain ignores its limit over two nodes: one count for both", () => {
    const workloads = ["a", "b", "c", "d"].map((id, index) => workload(id, index < 2 ? "n1" : "n2", 0.1));
    const state = snapshot([draining("n1", 0.3), draining("n2", 0.3), node("n3", 0.1), node("n4", 0.1)], workloads);
    expect(decide(state, config({ concurrency: { fleet: 1 } }), NOW).moves).to.have.length(1);
    const one = { ...state, migrations: [{ id: "m", workload: "a", from: "n1", to: "n3" }] };
    expect(decide(one, config({ concurrency: { fleet: 2 } }), NOW).moves).to.have.length(1);
    expect(decide(one, config({ concurrency: { fleet: 1 } }), NOW).moves).to.deep.equal([]);
  });

  it("drain reported done too early: not while the last one is still on its way, or has only just been let go", () => {
    const left = snapshot(
      [draining("n1", 0.3), node("n2", 0.1)],
      [workload("a", "n2", 0.1)],
      [{ id: "m", workload: "a", from: "n1", to: "n2" }],
    );
    expect(drainStatus(left, "n1").done).to.equal(false);
    expect(decide(left, config(), NOW).verdicts[0]!.verdict).to.equal("draining");
  });

  it("drain takes the only copy to zero: where nothing can take it, it goes on running, and nobody says done", () => {
    const state = snapshot([draining("n1", 0.3), node("n2", 0.74)], [workload("only", "n1", 1)]);
    const plan = decide(state, config(), NOW);
    expect(plan.moves).to.deep.equal([]);
    expect(plan.skips.map(({ workload: id, reason }) => `${id} ${reason}`)).to.deep.equal(["only target-cpu-full"]);
    expect(drainStatus(state, "n1")).to.include({ done: false });
    expect(drainStatus(state, "n1").blocked.map(({ workload: id }) => id)).to.deep.equal(["only"]);
  });

  it("migrations killed by a fixed timeout: one that takes hours is wanted as long as its reason stands", () => {
    const state = snapshot(
      [draining("n1", 0.3), node("n2", 0.1)],
      [workload("big", "n1", 1)],
      [{ id: "m", workload: "big", from: "n1", to: "n2" }],
    );
    const move = { workload: "big", from: "n1", to: "n2", reason: "maintenance" } as const;
    for (const hours of [0, 1, 48]) {
      const now = NOW + hours * 3600;
      const later = { ...state, at: now };
      expect(whyReasonGone({ snapshot: later, config: config(), now, verdicts: [] }, move)).to.equal(null);
      expect(whyNoLongerWanted({ snapshot: later, config: config(), now, verdicts: [] }, move)).to.equal(null);
    }
  });

  it("drain hangs silently: whatever stays has a reason and a sentence", () => {
    const state = snapshot(
      [draining("n1", 0.3, 0.9), node("n2", 0.74, 0.3)],
      [workload("a", "n1", 1), workload("b", "n1", 0.01, { constraints: constraints({ mode: "never" }) }), workload("c", "n1", null)],
    );
    const { skips } = decide(state, config(), NOW);
    expect(skips.map(({ workload, reason }) => `${workload} ${reason}`)).to.deep.equal([
      "b workload-never",
      "c workload-unknown-usage",
      "a target-cpu-full",
    ]);
    for (const skip of skips) expect(skip.because).to.match(/^[A-Z].{20,}\.$|^n\d.*\.$/);
  });

  it("nothing moves and nobody says why: every workload of a node in trouble is in the plan, once", () => {
    const workloads = Array.from({ length: 12 }, (_, index) => workload(`w${index}`, index % 2 ? "n1" : "n2", 0.3 + index / 10));
    const state = snapshot([node("n1", 0.9), draining("n2", 0.5), node("n3", 0.6), node("n4", 0.1, 0.85)], workloads);
    const plan = decide(state, config({ concurrency: { perNode: 1 } }), NOW);
    const named = [...plan.moves, ...plan.skips].map((entry) => entry.workload).sort();
    expect(named).to.deep.equal(workloads.map(({ id }) => id).sort());
    const relieved = decide(
      snapshot([node("n1", 0.85), node("n2", 0.1)], [workload("a", "n1", 2), workload("b", "n1", 2.5)]),
      config(),
      NOW,
    );
    expect(relieved.moves).to.have.length(1);
    expect(relieved.skips.map(({ reason }) => reason)).to.deep.equal(["not-needed"]);
  });

  it("a balancer that moves itself: what carries the label of Evenkeel's own containers stays, in any trouble", () => {
    const own = workload("scheduler", "n1", 3, { constraints: parseConstraints({ "io.evenkeel.mode": "never" }) });
    const hot = decide(snapshot([node("n1", 0.9), node("n2", 0.1)], [own]), config(), NOW);
    const flagged = decide(snapshot([draining("n1", 0.3), node("n2", 0.1)], [own]), config(), NOW);
    for (const { moves, skips } of [hot, flagged]) {
      expect(moves).to.deep.equal([]);
      expect(skips.map(({ reason }) => reason)).to.deep.equal(["workload-never"]);
    }
  });

  it("a returned node stays empty: what left it for the drain comes home when that is asked for, and balance fills it when that is on", () => {
    const steady = (id: string, cpuRatio: number) => node(id, cpuRatio, 0.3, { history: flatHistory(cpuRatio, 0.3, NOW, 400) });
    const guests = ["a", "b", "c", "d"].map((id) => workload(id, "n1", 1.2, { lastMovedAt: NOW - 60, lastMovedFrom: "n2" }));
    const state = snapshot([steady("n1", 0.7), steady("n2", 0)], guests);
    expect(decide(state, config(), NOW).moves).to.deep.equal([]);
    const asked = decide({ ...state, homecomings: [{ node: "n2", workloads: ["a", "b"] }] }, config(), NOW);
    expect(asked.moves.map(({ workload: id, to, reason }) => `${id}>${to} ${reason}`)).to.deep.equal([
      "a>n2 homecoming",
      "b>n2 homecoming",
    ]);
    const rested = guests.map((guest) => ({ ...guest, lastMovedAt: NOW - 5000 }));
    const level = decide({ ...state, workloads: rested }, config({ balance: { enabled: true } }), NOW);
    expect(level.moves.length).to.be.within(1, 2);
    expect(new Set(level.moves.map(({ to, reason }) => `${to} ${reason}`))).to.deep.equal(new Set(["n2 balance"]));
  });
});
