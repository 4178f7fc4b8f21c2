import { expect } from "chai";
import { decide } from "../../../policies/decide.js";
import { drainStatus } from "../../../policies/maintenance/drain-status.js";
import { lossesIn } from "../../../policies/say-losses.js";
import type { Maintenance, Snapshot, WorkloadState } from "../../../policies/types.js";
import { config, constraints, draining, GIBIBYTE, NOW, node, sized, snapshot, workload } from "./small-fleet.js";

const movesOf = (...args: Parameters<typeof decide>) => decide(...args).moves.map(({ workload, from, to }) => `${workload} ${from}>${to}`);

describe("draining a node under maintenance", () => {
  it("moves every workload away, biggest first, each to the node with the most room", () => {
    const state = snapshot(
      [draining("n1", 0.4), node("n2", 0.3), node("n3", 0.2)],
      [sized("s", "n1", 1), sized("l", "n1", 3), sized("m", "n1", 2)],
    );
    expect(movesOf(state, config(), NOW)).to.deep.equal(["l n1>n2", "m n1>n3", "s n1>n3"]);
  });
  it("says of a workload that is moved cold what that costs", () => {
    const state = snapshot(
      [draining("n1", 0.4), node("n2", 0.3)],
      [sized("hot", "n1", 2), sized("cold", "n1", 1, { constraints: constraints({ mode: "cold" }) })],
    );
    const said = new Map(decide(state, config(), NOW).moves.map(({ workload, because }) => [workload, because]));
    expect(said.get("cold")).to.match(/\. It is stopped and started again: its connections and memory are lost\.$/);
    expect(said.get("hot")).to.not.contain("lost");
  });
  it("says so of one that may be stopped if CRIU refuses it, and of connections that a move closes, with those of what has joined its network", () => {
    const said = (id: string, label: Parameters<typeof constraints>[0], networks?: string[]) =>
      sized(id, "n1", 0.25, { constraints: constraints(label), ...(networks && { networks }) });
    const shop = { group: "shop", affinityGroup: "shop" };
    const state = snapshot(
      [draining("n1", 0.4), node("n2", 0.3)],
      [
        said("fallback", { mayGoCold: true }),
        said("closing", { closesConnections: true }),
        said("both", { mayGoCold: true, closesConnections: true }, ["bridge"]),
        said("cold", { mode: "cold", mayGoCold: true, closesConnections: true }, ["bridge"]),
        said("alone", { closesConnections: true }, ["none"]),
        said("owner", { ...shop, closesConnections: true }, ["bridge"]),
        said("joiner", shop, []),
        said("beside", shop, ["lan"]),
      ],
    );
    const perhaps = "If CRIU refuses it, it is stopped and started again: its connections and memory are lost then.";
    const closed = "Its connections over networks that end at n1 are closed.";
    expect(Object.fromEntries(lossesIn(state))).to.deep.equal({
      fallback: perhaps,
      closing: closed,
      both: `${perhaps} ${closed}`,
      cold: "It is stopped and started again: its connections and memory are lost.",
      owner: closed,
      joiner: closed,
    });
    for (const { workload: id, because } of decide(state, config(), NOW).moves)
      expect(because.endsWith(lossesIn(state).get(id) ?? "."), `${id}: ${because}`).to.equal(true);
    expect(decide(state, config(), NOW).moves).to.have.length(8);
  });
  it("gives its turn and its room to nothing that is only shown, though an overloaded node comes first where it is relieved", () => {
    const state = snapshot(
      [draining("n1", 0.4), node("n2", 0.9), node("n3", 0.1)],
      [sized("a", "n1", 1), workload("hot", "n2", 3), workload("warm", "n2", 3)],
    );
    const narrow = config({ concurrency: { perNode: 1, fleet: 1 } });
    expect(movesOf(state, narrow, NOW)).to.deep.equal(["hot n2>n3"]);
    expect(movesOf({ ...state, onlyAsked: true }, narrow, NOW)).to.deep.equal(["a n1>n3"]);
    const failing = node("n2", 0.3, 0.3, { health: [{ kind: "disk-failing", since: NOW, detail: "sda" }] });
    const ailing = { ...state, nodes: [draining("n1", 0.4), failing, node("n3", 0.1)] };
    expect(movesOf(ailing, narrow, NOW)).to.deep.equal(["hot n2>n3"]);
    expect(movesOf({ ...ailing, onlyAsked: true }, narrow, NOW)).to.deep.equal(["a n1>n3"]);
  });
  it("does not wait for the cool-down", () => {
    const state = snapshot([draining("n1", 0.4), node("n2", 0.3)], [sized("a", "n1", 1, { lastMovedAt: NOW - 1 })]);
    expect(movesOf(state, config(), NOW)).to.deep.equal(["a n1>n2"]);
  });
  it("reserves the limit of a workload whose use is not known", () => {
    const unknown = { cpuUsedCores: null, memoryUsedBytes: null };
    const fits = sized("a", "n1", 0, { ...unknown, cpuLimitCores: 1, memoryLimitBytes: GIBIBYTE });
    expect(movesOf(snapshot([draining("n1", 0.4), node("n2", 0.3)], [fits]), config(), NOW)).to.deep.equal(["a n1>n2"]);
    const tooBig = { ...fits, memoryLimitBytes: 16 * GIBIBYTE };
    expect(decide(snapshot([draining("n1", 0.4), node("n2", 0.3)], [tooBig]), config(), NOW).skips[0]!.reason).to.equal(
      "target-memory-full",
    );
    const boundless = { ...fits, memoryLimitBytes: null };
    expect(decide(snapshot([draining("n1", 0.4), node("n2", 0.3)], [boundless]), config(), NOW).skips[0]!.reason).to.equal(
      "workload-unknown-usage",
    );
  });
  it("counts one whole that has just come, of which the last reading of a rate has seen a part only", () => {
    const read = (at: number, cpuRatio: number) => ({ at, cpuRatio, memoryRatio: 0.3 });
    const target = node("n2", 0.45, 0.3, { cpuCapacityCores: 4, history: [read(NOW - 6, 0.45), read(NOW - 1, 0.5)] });
    const reasonOf = (lastMovedAt: number, more: Partial<WorkloadState> = {}) => {
      const newcomer = workload("new", "n2", 1, { lastMovedAt, ...more });
      const plan = decide(snapshot([draining("n1", 0.3), target], [workload("w", "n1", 0.9), newcomer]), config(), NOW);
      return plan.skips.find(({ workload }) => workload === "w")?.reason ?? plan.moves[0]!.to;
    };
    expect(reasonOf(NOW - 2)).to.equal("target-cpu-full");
    expect(reasonOf(NOW - 6), "the whole of the interval").to.equal("n2");
    expect(reasonOf(NOW - 2, { cpuUsedCores: 0.05 })).to.equal("n2");
    const unread = { cpuUsedCores: null };
    expect(reasonOf(NOW - 2, unread), "its first reading there tells no rate").to.equal("target-cpu-full");
    expect(reasonOf(NOW - 2, { ...unread, cpuSmoothedCores: 0.05, cpuPeakCores: 0.05 }), "but what it used before is known").to.equal("n2");
  });
  it("says for each workload that stays why it does", () => {
    const state = snapshot(
      [draining("n1", 0.4), draining("n2", 0.1), node("n3", 0.1)],
      [
        sized("fixed", "n1", 1, { constraints: constraints({ pinnedTo: ["n1", "n2"] }) }),
        sized("forbidden", "n1", 1, { constraints: constraints({ mode: "never" }) }),
        sized("huge", "n1", 15),
      ],
    );
    const plan = decide(state, config(), NOW);
    expect(plan.moves).to.deep.equal([]);
    expect(plan.skips.map(({ workload, reason }) => `${workload} ${reason}`)).to.deep.equal([
      "forbidden workload-never",
      "huge no-target",
      "fixed no-target",
    ]);
    expect(plan.skips[2]!.because).to.equal("None of 2 other nodes will do: target-maintenance (n2), workload-pinned (n3).");
  });
  it("names a hard blocker even while the node waits its turn", () => {
    const state = snapshot([draining("n1", 0.4), node("n2", 0.1)], [sized("a", "n1", 15), sized("b", "n1", 1), sized("c", "n1", 1)]);
    const plan = decide(state, config({ concurrency: { perNode: 1 } }), NOW);
    expect(plan.moves.map((move) => move.workload)).to.deep.equal(["b"]);
    expect(plan.skips.map(({ workload, reason }) => `${workload} ${reason}`)).to.deep.equal(["a target-memory-full", "c source-busy"]);
  });
  it("serves the nearest deadline first", () => {
    const state = snapshot(
      [
        draining("n1", 0.2),
        draining("n2", 0.2, 0.3, NOW + 600),
        draining("n3", 0.2, 0.3, NOW + 60),
        node("n4", 0.1, 0.3, { memoryCapacityBytes: 64 * GIBIBYTE }),
      ],
      [sized("a", "n1", 3), sized("b", "n2", 2), sized("c", "n3", 1)],
    );
    expect(movesOf(state, config(), NOW)).to.deep.equal(["c n3>n4", "b n2>n4", "a n1>n4"]);
  });
  it("leaves the workloads of a silent node alone", () => {
    const state = snapshot([{ ...draining("n1", 0.2), state: "unknown" }, node("n2", 0.1)], [sized("a", "n1", 1)]);
    const plan = decide(state, config(), NOW);
    expect(plan.moves).to.deep.equal([]);
    expect(plan.skips[0]!.reason).to.equal("source-unknown");
  });
  it("still keeps newcomers away when draining is switched off", () => {
    const state = snapshot([draining("n1", 0.1), node("n2", 0.9)], [sized("a", "n1", 1), workload("b", "n2", 3)]);
    expect(decide(state, config({ maintenance: { enabled: false } }), NOW).moves).to.deep.equal([]);
  });
});

describe("the status of a drain", () => {
  it("sorts what is left into moving, movable and blocked", () => {
    const state = snapshot(
      [draining("n1", 0.4), node("n2", 0.1)],
      [sized("going", "n1", 1), sized("free", "n1", 1), sized("stuck", "n1", 1, { constraints: constraints({ mode: "never" }) })],
      [{ id: "m1", workload: "going", from: "n1", to: "n2" }],
    );
    const status = drainStatus(state, "n1");
    expect(status).to.deep.include({
      node: "n1",
      done: false,
      remaining: ["free", "going", "stuck"],
      moving: ["going"],
      movable: ["free"],
    });
    expect(status.blocked.map(({ workload, reason }) => `${workload} ${reason}`)).to.deep.equal(["stuck workload-never"]);
  });
  it("is done when the node is empty and no migration touches it", () => {
    expect(drainStatus(snapshot([draining("n1", 0.1)]), "n1").done).to.equal(true);
    expect(drainStatus(snapshot([draining("n1", 0.1)], [], [{ id: "m", workload: "w", from: "n2", to: "n1" }]), "n1").done).to.equal(false);
  });
  it("is not done by a reading from before the drain was asked for, which does not show what was started since", () => {
    const asked = (maintenance: Partial<Maintenance>) =>
      snapshot([node("n1", 0.1, 0.3, { maintenance: { since: NOW - 600, deadline: null, reason: "new disks", ...maintenance } })]);
    const said = (state: Snapshot) => [drainStatus(state, "n1").done, decide(state, config(), NOW).verdicts[0]!.verdict];
    expect(said(asked({})), "the last reading is of NOW").to.deep.equal([true, "drained"]);
    expect(said(asked({ since: NOW + 1 }))).to.deep.equal([false, "draining"]);
    expect(said(asked({ since: NOW - 2 })), "clocks differ").to.deep.equal([false, "draining"]);
    expect(said(asked({ since: NOW - 3 }))).to.deep.equal([true, "drained"]);
    expect(said(asked({ askedAt: NOW - 2 })), "asked again").to.deep.equal([false, "draining"]);
    const unread = asked({}).nodes.map((each) => ({ ...each, history: [] }));
    expect(said(snapshot(unread))).to.deep.equal([false, "draining"]);
  });
  it("is never done for a node that is silent or not there", () => {
    expect(drainStatus(snapshot([{ ...draining("n1", 0.1), state: "unknown" }]), "n1").done).to.equal(false);
    expect(drainStatus(snapshot([]), "n1").done).to.equal(false);
  });

  it("says how long it will take before the first has left, from what the moves are expected to cost", () => {
    const big = { memoryUsedBytes: 2 ** 30 };
    const state = snapshot([draining("n1", 0.3), node("n2", 0.1)], [workload("a", "n1", 0.1, big), workload("b", "n1", 0.1, big)]);
    const oneAtATime = drainStatus(state, "n1", config({ concurrency: { perNode: 1 } })).movableSeconds;
    expect(oneAtATime).to.be.closeTo(2 * (0.5 + 2 ** 30 / 1e8), 0.01);
    expect(drainStatus(state, "n1", config({ concurrency: { perNode: 2 } })).movableSeconds).to.be.closeTo(oneAtATime / 2, 0.01);
    expect(drainStatus(snapshot([draining("n1", 0.1), node("n2", 0.1)]), "n1").movableSeconds).to.equal(0);
  });
});
