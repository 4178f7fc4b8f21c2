import { expect } from "chai";
import { applyPlan } from "../../../policies/apply-plan.js";
import type { PolicyConfig } from "../../../policies/config.js";
import { decide } from "../../../policies/decide.js";
import type { Plan, Snapshot, WorkloadState } from "../../../policies/types.js";
import { config, constraints, GIBIBYTE, NOW, node, snapshot, workload } from "./small-fleet.js";

/** Eight cores a node: overloaded above 6.4, back below 5.2, and no destination above 6. */
const at = (id: string, cpuCores: number) => node(id, cpuCores / 8);
const routes = ({ moves }: Plan) => moves.map(({ workload: id, from, to, reason }) => `${id} ${from}>${to} ${reason}`);
const decideAt = (state: Snapshot, now = NOW, settings: PolicyConfig = config()) => decide({ ...state, at: now }, settings, now);

/** n1 must lose `big`, which fits nowhere; n2 would have room for it without `guest`, which fits on n3. */
const chain = (guest: Partial<WorkloadState> = {}, big: Partial<WorkloadState> = {}) =>
  snapshot([at("n1", 7.2), at("n2", 4.8), at("n3", 4)], [workload("big", "n1", 2.4, big), workload("guest", "n2", 1.6, guest)]);
/** … without `first` and `second`, of which n3 and n4 have room for one each. */
const ejection = () =>
  snapshot(
    [at("n1", 7.2), at("n2", 5.6), at("n3", 4.8), at("n4", 4.8)],
    [workload("big", "n1", 2.3), workload("first", "n2", 1), workload("second", "n2", 1)],
  );
/** … only when `heavy` of n2 and `light` of n3 have changed places. */
const swap = () =>
  snapshot(
    [at("n1", 7), at("n2", 5), at("n3", 5)],
    [workload("big", "n1", 1.9), workload("heavy", "n2", 1.55), workload("light", "n3", 0.6)],
  );

/** Moves made tick by tick, each done before the next tick. */
function carryOn(start: Snapshot, settings: PolicyConfig = config()): string[] {
  const made: string[] = [];
  let state = start;
  for (let now = NOW; now < NOW + 1000; now += 10) {
    const plan = decideAt(state, now, settings);
    made.push(...routes(plan));
    state = applyPlan(state, plan);
  }
  return made;
}

describe("an overloaded node that no single move relieves for want of room", () => {
  it("is relieved by a chain: another workload moves on first", () => {
    expect(carryOn(chain())).to.deep.equal(["guest n2>n3 room", "big n1>n2 overload"]);
  });
  it("is relieved by an ejection: several make room", () => {
    const plan = decideAt(ejection());
    expect(plan.moves.map(({ workload: id, from }) => `${id} ${from}`)).to.have.members(["first n2", "second n2"]);
    expect(new Set(plan.moves.map(({ to }) => to))).to.deep.equal(new Set(["n3", "n4"]));
    expect(carryOn(ejection())).to.include("big n1>n2 overload");
  });
  it("is relieved by a swap: two others change places", () => {
    expect(carryOn(swap())).to.deep.equal(["light n3>n2 room", "heavy n2>n3 room", "big n1>n2 overload"]);
  });
  it("is relieved of memory as well, its images counted while it moves", () => {
    const sized = (id: string, on: string, gibibytes: number) =>
      workload(id, on, 0.1, { memoryUsedBytes: gibibytes * GIBIBYTE, dirtyBytesPerSecond: 1e6 });
    const state = snapshot(
      [node("n1", 0.2, 0.95), node("n2", 0.2, 0.75), node("n3", 0.2, 0.72)],
      [sized("big", "n1", 2.5), sized("guest", "n2", 2)],
    );
    expect(carryOn(state)).to.deep.equal(["guest n2>n3 room", "big n1>n2 overload"]);
  });
  it("says of each move for whom it makes room, and of the workload that it is waited for", () => {
    const plan = decideAt(swap());
    expect(plan.moves.map(({ because }) => because)).to.deep.equal([
      "Makes room on n3 for heavy, and so on n2 for big, which n1 must lose; it uses 0.60 cores and 512 MiB.",
    ]);
    expect(plan.skips.map(({ workload: id, to, reason, because }) => `${id} ${to} ${reason}: ${because}`)).to.deep.equal([
      "big n2 room-being-made: Room is being made for it on n2: light to n2 first, then heavy to n3.",
    ]);
  });
  it("waits for the readings to show the room, and makes no more meanwhile", () => {
    const left = chain({ node: "n3", lastMovedAt: NOW - 60, lastMovedFrom: "n2" });
    const plan = decideAt(left);
    expect(routes(plan)).to.deep.equal([]);
    expect(plan.skips.map(({ reason, because }) => `${reason}: ${because}`)).to.deep.equal([
      "room-being-made: Room is being made for it on n2: what leaves it, or has just left, is still counted there.",
    ]);
  });
  it("has its helpers go one after another where the limits are the usual ones", () => {
    const made = carryOn(ejection(), config({ concurrency: { perNode: 1, fleet: 4 } }));
    expect(made).to.have.length(3);
    expect(made.at(-1)).to.equal("big n1>n2 overload");
  });
  it("is helped in a large fleet by those that are nearest to having room", () => {
    const { nodes, workloads } = chain();
    const full = Array.from({ length: 80 }, (_, index) => at(`m${index}`, 6));
    const others = full.flatMap(({ id }) => Array.from({ length: 3 }, (_, index) => workload(`${id}-${index}`, id, 1.9)));
    expect(routes(decideAt(snapshot([...full, ...nodes], [...others, ...workloads])))).to.deep.equal(["guest n2>n3 room"]);
  });
});

describe("nobody moves out of an overloaded node's way", () => {
  const movesOf = (state: Snapshot, settings?: PolicyConfig) => routes(decideAt(state, NOW, settings));

  it("who rests, is not to be moved, or may not go where there is room", () => {
    for (const guest of [
      { lastMovedAt: NOW - 300 },
      { constraints: constraints({ mode: "never" }) },
      { constraints: constraints({ pinnedTo: ["n2"] }) },
      { constraints: constraints({ affinityGroup: "shop" }) },
      { refusals: [{ at: NOW - 100, to: "n3", code: "X", because: "x", passes: false }] },
    ]) {
      expect(movesOf(chain(guest)), JSON.stringify(guest)).to.deep.equal([]);
    }
  });
  it("when another of its group keeps it away all the same", () => {
    const apart = { constraints: constraints({ antiAffinityGroup: "db" }) };
    const { nodes, workloads } = chain({}, apart);
    expect(movesOf(snapshot([...nodes], [...workloads]))).to.deep.equal(["guest n2>n3 room"]);
    expect(movesOf(snapshot([...nodes], [...workloads, workload("sibling", "n2", 0, { ...apart, lastMovedAt: NOW - 300 })]))).to.deep.equal(
      [],
    );
  });
  it("when all the moves together cost more than they relieve, though none of them does", () => {
    // 33 s frozen for 3 GiB, at five seconds of overload each, and the transfer: 170 s for one, 340 s for two.
    const heavy = { memoryUsedBytes: 3 * GIBIBYTE };
    const priced = (horizonSeconds: number) => config({ cost: { horizonSeconds } });
    expect(movesOf(chain(heavy, heavy), priced(600))).to.deep.equal(["guest n2>n3 room"]);
    expect(movesOf(chain(heavy, heavy), priced(300))).to.deep.equal([]);
    expect(movesOf(chain({}, heavy), priced(300))).to.deep.equal(["guest n2>n3 room"]);
    expect(movesOf(chain(heavy, {}), priced(300))).to.deep.equal(["guest n2>n3 room"]);
  });
  it("when what swings may need more than its going is sure to free", () => {
    expect(movesOf(chain({}, { cpuPeakCores: 2.7 }))).to.deep.equal(["guest n2>n3 room"]);
    expect(movesOf(chain({}, { cpuPeakCores: 2.9 }))).to.deep.equal([]);
    expect(movesOf(chain({ cpuSmoothedCores: 1 }))).to.deep.equal([]);
  });
  it("when the hour's budget is not enough for all of it", () => {
    expect(movesOf(chain(), config({ movesPerHour: 2 }))).to.deep.equal(["guest n2>n3 room"]);
    expect(movesOf(chain(), config({ movesPerHour: 1 }))).to.deep.equal([]);
  });
  it("in a window in which nothing is moved", () => {
    for (const shut of ["n1", "n2", "n3"]) {
      expect(movesOf({ ...chain(), windows: [{ node: shut, active: true, reason: "closing the books" }] }), shut).to.deep.equal([]);
    }
  });
  it("when it only has to wait until a node that has room for it has settled", () => {
    const { nodes, workloads } = chain();
    const state = snapshot([...nodes, at("n4", 1)], [...workloads, workload("new", "n4", 0.5, { lastMovedAt: NOW - 5 })]);
    const plan = decideAt(state);
    expect(routes(plan)).to.deep.equal([]);
    expect(plan.skips.find(({ workload: id }) => id === "big")!.reason).to.equal("target-settling");
  });
  it("when what could leave relieves it too little", () => {
    expect(movesOf(chain({ cpuUsedCores: 0.02 }, { cpuUsedCores: 0.02 }))).to.deep.equal([]);
  });
  it("of higher priority, as long as it works without them", () => {
    const important = { constraints: constraints({ priority: 5 }) };
    expect(movesOf(chain(important))).to.deep.equal(["guest n2>n3 room"]);
    const { nodes, workloads } = chain(important);
    const usual = workload("usual", "n2", 1.7);
    expect(movesOf(snapshot([...nodes], [...workloads, usual]))).to.deep.equal(["usual n2>n3 room"]);
  });
  it("when it is switched off", () => {
    const plan = decideAt(chain(), NOW, config({ overload: { makeRoom: false } }));
    expect(routes(plan)).to.deep.equal([]);
    expect(plan.skips.map(({ reason }) => reason)).to.deep.equal(["target-cpu-full"]);
  });
});
