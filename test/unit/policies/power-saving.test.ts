import { expect } from "chai";
import { completeConfig } from "../../../policies/config.js";
import { findUnbearableLoss } from "../../../policies/consolidate/bear-loss.js";
import { decide } from "../../../policies/decide.js";
import { indexFleet } from "../../../policies/fleet.js";
import type { NodeState, PowerSavingWindow, PowerState, Snapshot, WorkloadState } from "../../../policies/types.js";
import { config, constraints, draining, GIBIBYTE, NOW, node, snapshot, steady, workload } from "./small-fleet.js";

const SLEEPER = { "io.evenkeel.may-sleep": "true", "io.evenkeel.watts": "90,180" };
/** Known for long enough, and with loads that are known to be steady. */
const sleeper = (id: string, cpuRatio: number, override: Partial<NodeState> = {}) =>
  steady(id, cpuRatio, 0.2, { labels: SLEEPER, ...override });
const sleeping = (id: string, power: PowerState, override: Partial<NodeState> = {}) =>
  sleeper(id, 0, { state: "unknown", cpuUsedCores: null, memoryUsedBytes: null, history: [], power, ...override });
const light = (id: string, on: string, cpu = 0.5, override: Partial<WorkloadState> = {}) =>
  workload(id, on, cpu, { cpuLimitCores: 1, ...override });
const on = config({ consolidate: { enabled: true } });
const wishes = (state: Snapshot, settings = on) => decide(state, settings, NOW).power.map(({ to, node: id }) => `${to} ${id}`);
const moves = (state: Snapshot, settings = on) =>
  decide(state, settings, NOW).moves.map(({ workload: id, from, to, reason }) => `${id} ${from}>${to} ${reason}`);
const window = (powerSaving: PowerSavingWindow) => ({ powerSaving });

const three = (override: Partial<Snapshot> = {}): Snapshot => ({
  ...snapshot([sleeper("n1", 0.125), sleeper("n2", 0.0625), sleeper("n3", 0)], [light("a", "n1"), light("b", "n1"), light("c", "n2")]),
  ...override,
});

describe("power saving", () => {
  it("does nothing unless it is switched on", () => {
    expect(wishes(three(), config())).to.deep.equal([]);
    expect(moves(three(), config())).to.deep.equal([]);
  });

  it("lets an empty node sleep, while those that stay awake bear the loss of any one of them", () => {
    expect(wishes(three())).to.deep.equal(["sleep n3"]);
    const two = snapshot([sleeper("n1", 0.125), sleeper("n3", 0)], [light("a", "n1")]);
    expect(wishes(two), "n1 alone could not be lost").to.deep.equal([]);
  });

  it("lets only those sleep that are labelled, level, and have not just been woken", () => {
    const with3 = (override: Partial<NodeState>) =>
      wishes({ ...three(), nodes: [...three().nodes.slice(0, 2), sleeper("n3", 0, override)] });
    expect(with3({})).to.deep.equal(["sleep n3"]);
    expect(with3({ labels: {} })).to.deep.equal([]);
    expect(with3({ wokenAt: NOW - 60 })).to.deep.equal([]);
    expect(with3({ wokenAt: NOW - 4000 })).to.deep.equal(["sleep n3"]);
    expect(with3({ cordoned: true })).to.deep.equal([]);
    expect(with3({ cpuUsedCores: null }), "unknown is never idle").to.deep.equal([]);
    expect(with3({ health: [{ kind: "overheating", since: NOW, detail: "" }] })).to.deep.equal([]);
    expect(with3({ maintenance: { since: NOW, deadline: null, reason: "disk" } })).to.deep.equal([]);
  });

  it("goes on wishing that a node sleeps which it has closed for that, whatever else moves, until something comes in between", () => {
    const closing = (override: Partial<NodeState> = {}, more: Partial<Snapshot> = {}) =>
      wishes({ ...three(more), nodes: [...three().nodes.slice(0, 2), sleeper("n3", 0, { power: "closing", ...override })] });
    expect(closing()).to.deep.equal(["sleep n3"]);
    const elsewhere = [{ id: "m", workload: "a", from: "n1", to: "n2" }];
    expect(closing({}, { migrations: elsewhere })).to.deep.equal(["sleep n3"]);
    expect(closing({}, { migrations: [{ id: "m", workload: "a", from: "n1", to: "n3" }] })).to.deep.equal([]);
    expect(closing({}, { workloads: [...three().workloads, light("new", "n3", 0)] })).to.deep.equal([]);
    expect(closing({ cordoned: true })).to.deep.equal([]);
    expect(closing({ maintenance: { since: NOW, deadline: null, reason: "disk" } })).to.deep.equal([]);
    expect(closing({ state: "unknown", cpuUsedCores: null, history: [] }), "silent").to.deep.equal([]);
    expect(closing({}, window({ active: false, endsAt: null }))).to.deep.equal([]);
  });

  it("brings nothing to a node that is closing, and opens it when that is needed rather than wake another", () => {
    const drain = (power: PowerState | null) =>
      snapshot(
        [draining("n1", 0.3), sleeper("n2", 0.7), sleeper("n3", 0, { power }), sleeping("n4", "asleep")],
        [light("a", "n1", 2), light("b", "n2", 5.6)],
      );
    expect(moves(drain(null))).to.deep.equal(["a n1>n3 maintenance"]);
    const plan = decide(drain("closing"), on, NOW);
    expect(plan.moves).to.deep.equal([]);
    expect(plan.skips.map(({ reason }) => reason)).to.deep.equal(["target-asleep"]);
    expect(plan.power, "neither that one sleeps nor the other wakes").to.deep.equal([]);
    expect(plan.verdicts[2]).to.include({ verdict: "level" });
    expect(plan.verdicts[2]!.because).to.match(/; to be put to sleep as soon as a new reading shows nothing there\.$/);
  });

  it("does not let a node sleep to which something is on its way", () => {
    const under = [{ id: "m", workload: "a", from: "n1", to: "n3" }];
    expect(wishes(three({ migrations: under }))).to.deep.equal([]);
  });

  it("empties a node as a whole, onto nodes in use, when it could then sleep", () => {
    const state = three({ nodes: [...three().nodes.slice(0, 2), sleeper("n3", 0, { labels: {} })] });
    expect(moves(state)).to.deep.equal(["c n2>n1 consolidate"]);
    const stuck = { ...state, workloads: [...state.workloads, light("d", "n2", 0.1, { constraints: constraints({ mode: "never" }) })] };
    expect(moves(stuck).filter((move) => move.includes("n2>"))).to.deep.equal([]);
  });

  it("does not fill a node beyond what levelling would take away again", () => {
    const full = snapshot(
      [sleeper("n1", 0.7), sleeper("n2", 0.3), sleeper("n3", 0, { labels: {} }), sleeper("n4", 0, { labels: {} })],
      [light("a", "n1", 5.6), light("b", "n2", 2.4)],
    );
    expect(moves(full)).to.deep.equal([]);
  });

  it("rests balance meanwhile, which would fill what is being emptied", () => {
    const uneven = snapshot(
      [sleeper("n1", 0.7), sleeper("n2", 0), sleeper("n3", 0)],
      ["a", "b", "c", "d"].map((id) => light(id, "n1", 1.4)),
    );
    const both = config({ balance: { enabled: true }, consolidate: { enabled: true } });
    expect(moves(uneven, config({ balance: { enabled: true } })).length).to.be.greaterThan(0);
    expect(moves(uneven, both)).to.deep.equal([]);
    expect(moves({ ...uneven, ...window({ active: false, endsAt: null }) }, both).length).to.be.greaterThan(0);
  });
});

describe("waking", () => {
  const awake = (cpuRatio: number, override: Partial<NodeState> = {}) => [sleeper("n1", cpuRatio, override), sleeper("n2", cpuRatio)];
  const asleep = (cpuRatio: number, workloads: WorkloadState[], override: Partial<NodeState> = {}) =>
    snapshot([...awake(cpuRatio, override), sleeping("n3", "asleep"), sleeping("n4", "asleep")], workloads);
  const quiet = [light("a", "n1"), light("b", "n2")];

  it("is not called for while those awake are enough", () => expect(wishes(asleep(0.1, quiet))).to.deep.equal([]));

  it("comes before the time of power saving ends, and when it is switched off: of all", () => {
    const state = asleep(0.1, quiet);
    expect(wishes({ ...state, ...window({ active: true, endsAt: NOW + 3600 }) })).to.deep.equal([]);
    expect(wishes({ ...state, ...window({ active: true, endsAt: NOW + 200 }) })).to.deep.equal(["wake n3", "wake n4"]);
    expect(wishes({ ...state, ...window({ active: false, endsAt: null }) })).to.deep.equal(["wake n3", "wake n4"]);
    expect(wishes(state, config())).to.deep.equal(["wake n3", "wake n4"]);
  });

  it("comes before it is needed: load that climbs is foreseen, and one node is woken while all still fits", () => {
    const climbing = (from: number, to: number) =>
      Array.from({ length: 41 }, (_, index) => ({
        at: NOW - 400 + index * 10,
        cpuRatio: from + ((to - from) * index) / 40,
        memoryRatio: 0.2,
      }));
    const state = (from: number, to: number) => {
      const nodes = awake(to).map((each) => ({ ...each, history: climbing(from, to) }));
      return snapshot([...nodes, sleeping("n3", "asleep"), sleeping("n4", "asleep")], quiet);
    };
    expect(wishes(state(0.28, 0.3))).to.deep.equal([]);
    const plan = decide(state(0.05, 0.55), on, NOW);
    expect(plan.power.map(({ to, node: id }) => `${to} ${id}`)).to.deep.equal(["wake n3"]);
    expect(plan.power[0]!.because).to.match(/cores are expected to be asked for in 300 s/);
  });

  it("does not come for the load of a node that keeps it, cordoned or doubted; for that of one being emptied it does", () => {
    const foreseen = (override: Partial<NodeState>) => {
      const nodes = [sleeper("n1", 0.45), sleeper("n2", 0.45), steady("n3", 0.75, 0.2, override), sleeping("n4", "asleep")];
      const { power } = decide(snapshot(nodes, [light("a", "n1"), light("b", "n2"), light("c", "n3")]), on, NOW);
      return power.map(({ because }) => /expected/.test(because));
    };
    const sign = (kind: "overheating" | "pressure-stall") => ({ health: [{ kind, since: NOW, detail: "" }] });
    expect(foreseen({ cordoned: true })).to.deep.equal([]);
    expect(foreseen(sign("pressure-stall"))).to.deep.equal([]);
    expect(foreseen({ executorSilent: true })).to.deep.equal([]);
    expect(foreseen(sign("overheating"))).to.deep.equal([true]);
    expect(foreseen({ maintenance: { since: NOW, deadline: null, reason: "disk" } })).to.deep.equal([true]);
    const past = (each: NodeState, cpuRatio: number) => ({
      ...each,
      pastDays: [2, 1].map((days) => ({ at: NOW + 300 - days * 86_400, cpuRatio, memoryRatio: 0.2 })),
    });
    const quietNow = (override: Partial<NodeState>) => {
      const nodes = [past(sleeper("n1", 0.1), 0.4), past(sleeper("n2", 0.1), 0.4), past(steady("n3", 0.1, 0.2, override), 0.9)];
      return wishes(snapshot([...nodes, sleeping("n4", "asleep")], [light("a", "n1"), light("b", "n2"), light("c", "n3")]));
    };
    expect(quietNow({ cordoned: true })).to.deep.equal([]);
    expect(quietNow({ maintenance: { since: NOW, deadline: null, reason: "disk" } })).to.deep.equal(["wake n4"]);
  });

  it("comes when a node is overloaded, a drain finds no room, or the loss of a node could not be borne", () => {
    const hot = snapshot(
      [sleeper("n1", 0.95), sleeper("n2", 0.6), sleeping("n3", "asleep")],
      [light("a", "n1", 3.5), light("b", "n1", 3.5), light("c", "n2", 4.8)],
    );
    expect(wishes(hot)).to.deep.equal(["wake n3"]);
    const drain = snapshot(
      [draining("n1", 0.3), sleeper("n2", 0.7), sleeping("n3", "asleep")],
      [light("a", "n1", 2), light("b", "n2", 5.6)],
    );
    expect(wishes(drain)).to.deep.equal(["wake n3"]);
    const thin = asleep(0.5, [light("a", "n1", 4), light("b", "n2", 4)]);
    expect(decide(thin, on, NOW).power[0]!.because).to.equal("Wakes n3: the others that are awake could not take over what n1 runs.");
  });

  it("comes for what it would help, whatever else is short that it would not", () => {
    const pinned = light("p", "n1", 2, { constraints: constraints({ pinnedTo: ["n2"] }) });
    const stuck = [draining("n1", 0.3), sleeper("n2", 0.7), steady("n4", 0.5), sleeping("n3", "asleep")];
    const { power, skips } = decide(snapshot(stuck, [pinned, light("b", "n2", 5.6), light("c", "n4", 4)]), on, NOW);
    expect(skips.map(({ workload: id, reason }) => `${id} ${reason}`)).to.include("p no-target");
    expect(power.map(({ because }) => because)).to.deep.equal(["Wakes n3: the others that are awake could not take over what n2 runs."]);
  });

  it("does not come for an overload that another node would not relieve", () => {
    const hot = (override: Partial<WorkloadState>) => {
      const workloads = ["a", "b"].map((id) => light(id, "n1", 3.8, override));
      const nodes = [steady("n1", 0.95), ...["n2", "n3", "n4"].map((id) => steady(id, 0.7)), sleeping("n9", "asleep")];
      const { power, skips } = decide(snapshot(nodes, workloads), on, NOW);
      return [skips.map(({ reason }) => reason), power.filter(({ because }) => because.includes("no room")).length];
    };
    expect(hot({})).to.deep.equal([["target-asleep", "target-asleep"], 1]);
    expect(hot({ lastMovedAt: NOW - 100 })).to.deep.equal([["workload-cooling-down", "workload-cooling-down"], 0]);
  });

  it("does not come for what an empty node that is awake could take, and was not given", () => {
    const crumbs = (empty: NodeState[]) => {
      const small = Array.from({ length: 40 }, (_, i) => light(`w${i}`, "n1", 0.19));
      const workloads = [...small, light("x", "n2", 2.4), light("y", "n3", 2.4)];
      const nodes = [steady("n1", 0.95), steady("n2", 0.3), steady("n3", 0.3), ...empty, sleeping("n9", "asleep")];
      const settings = config({ consolidate: { enabled: true }, overload: { minimumGainRatio: 1 } });
      return decide(snapshot(nodes, workloads), settings, NOW).power.filter(({ because }) => because.includes("no room"));
    };
    expect(crumbs([])).to.have.length(1);
    expect(crumbs([steady("n4", 0)])).to.deep.equal([]);
  });

  it("does not come for what the sleeping node would refuse awake, whatever the others say, and lets it sleep again", () => {
    const refuses = { refusedCpus: ["new"] };
    const plan = (awakeOverride: Partial<NodeState>, last: NodeState, ...more: NodeState[]) => {
      const source = { ...draining("n1", 0.2), cpuKind: "new" };
      const nodes = [source, sleeper("n2", 0.2, refuses), sleeper("n3", 0.1, awakeOverride), last];
      const workloads = [light("a", "n1", 1, { networks: ["lan"] }), light("b", "n2", 0.5)];
      const { skips, power } = decide(snapshot([...nodes, ...more], workloads), on, NOW);
      return [skips.map(({ workload: id, reason }) => `${id} ${reason}`), power.map(({ to, node: id }) => `${to} ${id}`)];
    };
    expect(plan(refuses, sleeping("n4", "asleep"))).to.deep.equal([["a target-asleep"], ["wake n4"]]);
    expect(plan(refuses, sleeping("n4", "asleep", refuses))).to.deep.equal([["a target-cpu-differs"], []]);
    expect(plan({ networks: ["bridge"] }, sleeping("n4", "asleep", refuses)), "for different reasons").to.deep.equal([["a no-target"], []]);
    expect(plan(refuses, sleeping("n4", "asleep", { cordoned: true }))).to.deep.equal([["a no-target"], []]);
    expect(plan(refuses, sleeper("n4", 0, refuses)), "awake and empty, it is of no use").to.deep.equal([
      ["a target-cpu-differs"],
      ["sleep n4"],
    ]);
    const dearest = { labels: { ...SLEEPER, "io.evenkeel.watts": "90,360" } };
    expect(
      plan(refuses, sleeping("n4", "asleep", refuses), sleeping("n5", "asleep", dearest)),
      "but the one that would help",
    ).to.deep.equal([["a target-asleep"], ["wake n5"]]);
    const full = { cpuUsedCores: 5.8 };
    expect(plan(full, sleeping("n4", "asleep", refuses), sleeper("n5", 0, refuses)), "nothing sleeps while room is short").to.deep.equal([
      ["a no-target"],
      [],
    ]);
  });

  const told = (state: Snapshot, settings = on) => {
    const { skips, power } = decide(state, settings, NOW);
    return [skips.map(({ workload: id, reason }) => `${id} ${reason}`), power.map(({ to, node: id }) => `${to} ${id}`)];
  };

  it("does not come for what would fit on a node that is only busy or settling", () => {
    const oneAtOnce = config({ consolidate: { enabled: true }, concurrency: { perNode: 1, fleet: 1000 } });
    const drain = snapshot(
      [draining("n1", 0.1), steady("n2", 0.05), steady("n3", 0.05), sleeping("n9", "asleep")],
      [light("a", "n1", 0.4), light("d", "n2", 0.1)],
      [{ id: "m", workload: "d", from: "n2", to: "n3" }],
    );
    expect(told(drain, oneAtOnce)).to.deep.equal([["a target-busy"], []]);
    const hot = snapshot(
      [steady("n1", 0.95), steady("n2", 0.1), steady("n4", 0.1), sleeping("n9", "asleep")],
      [
        light("a", "n1", 3.6),
        light("b", "n1", 3.6),
        light("c", "n2", 0.5, { lastMovedAt: NOW - 5, lastMovedFrom: "n5" }),
        light("d", "n4", 0.1),
      ],
      [{ id: "m", workload: "d", from: "n4", to: "n5" }],
    );
    expect(told(hot, oneAtOnce), "the one settling, the other busy").to.deep.equal([["a target-settling", "b target-settling"], []]);
    const closed = { windows: [{ node: "n2", active: true, reason: "a fair" }] };
    const workloads = [light("a", "n1", 3.6), light("b", "n1", 3.6), light("c", "n2", 0.5)];
    const waiting = { ...hot, ...closed, nodes: hot.nodes.filter(({ id }) => id !== "n4"), workloads, migrations: [] };
    expect(told(waiting), "but rather than wait for the end of a window").to.deep.equal([
      ["a target-asleep", "b target-asleep"],
      ["wake n9"],
    ]);
  });

  it("does not come for what is only kept from coming home, unless home sleeps", () => {
    const homecoming = (home: NodeState, ...more: NodeState[]) => ({
      ...snapshot(
        [home, steady("n2", 0.2), steady("n3", 0.1), ...more, sleeping("n0", "asleep")],
        [light("a", "n2", 1), light("c", "n3", 0.5)],
      ),
      homecomings: [{ node: "n1", workloads: ["a"] }],
    });
    expect(told(homecoming(steady("n1", 0.1, 0.3, { cordoned: true })))).to.deep.equal([["a no-target"], []]);
    expect(told(homecoming(sleeping("n1", "asleep")))).to.deep.equal([["a target-asleep"], ["wake n1"]]);
    expect(told(homecoming(sleeping("n1", "asleep"), steady("n4", 0))), "an empty one is not home").to.deep.equal([
      ["a target-asleep"],
      ["wake n1"],
    ]);
    expect(told(homecoming(sleeping("n1", "waking")))).to.deep.equal([["a target-asleep"], []]);
  });

  it("is waited for: nothing is moved there, no second one is woken, nothing else put to sleep", () => {
    const state = snapshot(
      [draining("n1", 0.3), sleeper("n2", 0.7), sleeping("n3", "waking"), sleeping("n4", "asleep"), sleeper("n5", 0.7)],
      [light("a", "n1", 2), light("b", "n2", 5.6), light("c", "n5", 5.6)],
    );
    const plan = decide(state, on, NOW);
    expect(plan.moves).to.deep.equal([]);
    expect(plan.power).to.deep.equal([]);
    expect(plan.skips.map(({ workload: id, reason }) => `${id} ${reason}`)).to.deep.equal(["a target-asleep"]);
    expect(plan.verdicts.map(({ verdict }) => verdict)).to.deep.equal(["draining", "level", "waking", "asleep", "level"]);
  });

  it("comes to a sleeping node that is flagged: nobody can work on it asleep", () => {
    const state = snapshot(
      [...awake(0.1), sleeping("n3", "asleep", { maintenance: { since: NOW, deadline: null, reason: "fans" } })],
      quiet,
    );
    expect(wishes(state)).to.deep.equal(["wake n3"]);
  });

  it("calls one whose hook failed after all others that would help, and then the one that was called longest ago", () => {
    const thin = (n3: Partial<NodeState>, n4: Partial<NodeState>) =>
      wishes(
        snapshot([...awake(0.5), sleeping("n3", "asleep", n3), sleeping("n4", "asleep", n4)], [light("a", "n1", 4), light("b", "n2", 4)]),
      );
    const dear = { labels: { ...SLEEPER, "io.evenkeel.watts": "90,360" } };
    expect(thin({}, dear)).to.deep.equal(["wake n3"]);
    expect(thin({ wakeFailedAt: NOW - 9000 }, dear)).to.deep.equal(["wake n4"]);
    expect(thin({ wakeFailedAt: NOW - 10 }, { ...dear, wakeFailedAt: NOW - 20 })).to.deep.equal(["wake n4"]);
    expect(thin({ wakeFailedAt: NOW - 20 }, { ...dear, wakeFailedAt: NOW - 10 })).to.deep.equal(["wake n3"]);
  });

  it("of others does not wait for one under maintenance that could not be woken, and lets others sleep", () => {
    const flag = { maintenance: { since: NOW, deadline: null, reason: "fans" } };
    const thin = (power: PowerState, override: Partial<NodeState>) =>
      wishes(
        snapshot(
          [...awake(0.5), sleeping("n3", power, { ...flag, ...override }), sleeping("n4", "asleep")],
          [light("a", "n1", 4), light("b", "n2", 4)],
        ),
      );
    expect(thin("asleep", {})).to.deep.equal(["wake n3"]);
    expect(thin("asleep", { wakeFailedAt: NOW - 10 })).to.deep.equal(["wake n3", "wake n4"]);
    expect(thin("waking", { wakeFailedAt: NOW - 10 })).to.deep.equal(["wake n4"]);
    expect(thin("waking", { maintenance: null, wakeFailedAt: NOW - 10 }), "which others would have to give room").to.deep.equal([]);
    const calm = { ...three(), nodes: [...three().nodes, sleeping("n4", "asleep", { ...flag, wakeFailedAt: NOW - 10 })] };
    expect(wishes(calm)).to.deep.equal(["wake n4", "sleep n3"]);
    const { because } = decide(calm, on, NOW).verdicts[3]!;
    expect(because).to.match(/\. The last call to wake it failed\.$/);
  });
});

describe("the loss of a node", () => {
  const unbearable = (nodes: NodeState[], workloads: WorkloadState[], growth = 0) => {
    const fleet = indexFleet(snapshot(nodes, workloads));
    const awake = fleet.nodes.filter(({ load }) => load !== null);
    return findUnbearableLoss({ fleet, config: completeConfig(config()), awake, placed: new Map(), growth });
  };
  it("is borne when the others have room for all it runs, with what else uses them", () => {
    expect(unbearable([node("n1", 0.35), node("n2", 0.35)], [light("a", "n1", 2.8), light("b", "n2", 2.8)])).to.equal(null);
    expect(unbearable([node("n1", 0.5), node("n2", 0.35)], [light("a", "n1", 4), light("b", "n2", 2.8)])).to.equal("n1");
    expect(unbearable([node("n1", 0.35), node("n2", 0.6)], [light("a", "n1", 2.8), light("b", "n2", 0.1)])).to.equal("n1");
    expect(unbearable([node("n1", 0.35), node("n2", 0.35)], [light("a", "n1", 2.8), light("b", "n2", 2.8)], 0.2)).to.equal("n1");
  });
  it("is borne where it would be with more load, though those who are placed one by one then leave no room for the last", () => {
    const nodes = [node("n1", 0.3), node("n2", 0.5), node("n3", 0.5625)];
    const workloads = [
      light("a", "n1", 1),
      light("b", "n1", 0.95),
      light("c", "n1", 0.2, { constraints: constraints({ pinnedTo: ["n1", "n2"] }) }),
    ];
    expect(unbearable(nodes, workloads, 0.1)).to.equal(null);
    expect(unbearable(nodes, workloads)).to.equal(null);
    const more = [...workloads, light("d", "n1", 1)];
    expect([unbearable(nodes, more, 0.1), unbearable(nodes, more)]).to.deep.equal(["n1", "n1"]);
  });
  it("is not borne where labels or memory forbid it, and asks nothing for what can run nowhere else", () => {
    const group = constraints({ antiAffinityGroup: "db" });
    const pair = [light("a", "n1", 0.1, { constraints: group }), light("b", "n2", 0.1, { constraints: group })];
    expect(unbearable([node("n1", 0.1), node("n2", 0.1)], pair)).to.equal("n1");
    expect(unbearable([node("n1", 0.1), node("n2", 0.1), node("n3", 0.1)], pair)).to.equal(null);
    const big = light("a", "n1", 0.1, { memoryUsedBytes: 12 * GIBIBYTE });
    expect(unbearable([node("n1", 0.1, 0.8), node("n2", 0.1)], [big])).to.equal("n1");
    const fixed = light("a", "n1", 7, { constraints: constraints({ pinnedTo: ["n1"] }) });
    expect(unbearable([node("n1", 0.9), node("n2", 0.1)], [fixed])).to.equal(null);
  });
});
