import { expect } from "chai";
import { applyPlan } from "../../../policies/apply-plan.js";
import { decide } from "../../../policies/decide.js";
import type { WorkloadState } from "../../../policies/types.js";
import { config, constraints, draining, GIBIBYTE, NOW, node, sized, snapshot, workload } from "./small-fleet.js";

/** Large enough to hold twice what moves, for as long as it moves; `roomGibibytes` are left below the headroom. */
const roomy = (id: string, cpuRatio: number, roomGibibytes: number) =>
  node(id, cpuRatio, 0.9 - roomGibibytes / 64, { memoryCapacityBytes: 64 * GIBIBYTE });

/** `big` must leave n1 and fits into no gap; n2 would have room for it if one of its guests went to n3. */
const puzzle = (guest: Partial<WorkloadState> = {}) =>
  snapshot(
    [draining("n1", 0.2, 0.5), roomy("n2", 0.2, 4.8), roomy("n3", 0.2, 3.2)],
    [sized("big", "n1", 6), sized("heavy", "n2", 4), sized("light", "n2", 2, guest), sized("tiny", "n2", 0.5)],
  );

describe("making room for a workload that must leave and fits nowhere", () => {
  it("moves the lightest guest whose going is enough, and says for whom", () => {
    const plan = decide(puzzle(), config(), NOW);
    expect(plan.moves.map(({ workload, from, to, reason }) => `${workload} ${from}>${to} ${reason}`)).to.deep.equal([
      "light n2>n3 maintenance",
    ]);
    expect(plan.moves[0]!.because).to.equal("n1 is under maintenance; this makes room on n2 for big, which fits nowhere else.");
    expect(plan.skips.map(({ workload, to, reason }) => `${workload} ${to} ${reason}`)).to.deep.equal(["big n2 room-being-made"]);
  });
  it("then brings the workload in", () => {
    const state = puzzle();
    const next = decide(applyPlan(state, decide(state, config(), NOW)), config(), NOW + 5);
    expect(next.moves.map(({ workload, to }) => `${workload}>${to}`)).to.deep.equal(["big>n2"]);
  });
  it("makes no more room while the readings still count what has left", () => {
    const left = { lastMovedAt: NOW - 60, lastMovedFrom: "n2", node: "n3" };
    const plan = decide(puzzle(left), config(), NOW);
    expect(plan.moves).to.deep.equal([]);
    expect(plan.skips[0]!.reason).to.equal("room-being-made");
  });
  it("waits for one that is on its way out", () => {
    const state = { ...puzzle(), migrations: [{ id: "m", workload: "light", from: "n2", to: "n3" }] };
    const plan = decide(state, config(), NOW);
    expect(plan.moves).to.deep.equal([]);
    expect(plan.skips.find((skip) => skip.workload === "big")!.reason).to.equal("room-being-made");
  });
  it("does not disturb a guest that rests, is not to be moved, or has nowhere to go", () => {
    for (const guest of [
      { lastMovedAt: NOW - 300 },
      { constraints: constraints({ mode: "never" }) },
      { constraints: constraints({ pinnedTo: ["n2"] }) },
    ]) {
      expect(decide(puzzle(guest), config(), NOW).moves, JSON.stringify(guest)).to.deep.equal([]);
    }
  });
  describe("for as long as it moves", () => {
    /** 6 GiB would fit on n2 below the headroom, and not twice that on the whole of it. */
    const tight = (big: Partial<WorkloadState> = {}) =>
      snapshot(
        [draining("n1", 0.2, 0.5), node("n2", 0.2, 0.4), node("n3", 0.2, 0.6)],
        [sized("big", "n1", 6, big), sized("guest", "n2", 3)],
      );

    it("moves a guest too, and brings the workload in when twice its size is free", () => {
      const plan = decide(tight(), config(), NOW);
      expect(plan.moves.map(({ workload, to }) => `${workload}>${to}`)).to.deep.equal(["guest>n3"]);
      const next = decide(applyPlan(tight(), plan), config(), NOW + 5);
      expect(next.moves.map(({ workload, to }) => `${workload}>${to}`)).to.deep.equal(["big>n2"]);
    });
    it("does so as well when the destination's own preflight has said that its memory is short", () => {
      const refusals = ["n2", "n3"].map((to) => ({ at: NOW - 10, to, code: "memory-short", because: "n2 has 6 GiB free", passes: true }));
      expect(decide(tight({ refusals }), config(), NOW).moves.map(({ workload }) => workload)).to.deep.equal(["guest"]);
      const other = refusals.map((refusal) => ({ ...refusal, code: "name-taken" }));
      expect(decide(tight({ refusals: other }), config(), NOW).moves).to.deep.equal([]);
    });
    it("moves nobody where room has come since it was refused: it only has to be asked again", () => {
      const refusals = [{ at: NOW - 10, to: "n2", code: "memory-short", because: "n2 has 6 GiB free", passes: true }];
      const state = tight({ refusals });
      const nodes = state.nodes.map((each) => (each.id === "n2" ? node("n2", 0.2, 0.2) : each));
      const plan = decide({ ...state, nodes }, config(), NOW);
      expect(plan.moves).to.deep.equal([]);
    });
  });
  it("is left out when it is switched off", () => {
    const plan = decide(puzzle(), config({ maintenance: { makeRoom: false } }), NOW);
    expect(plan.moves).to.deep.equal([]);
    expect(plan.skips[0]!.reason).to.equal("target-memory-full");
  });
  describe("that no single departure makes", () => {
    /** `big` lacks 5.2 GiB on n2; n3 and n4 have 3.2 GiB each. */
    const several = (...sizes: number[]) =>
      snapshot(
        [draining("n1", 0.2, 0.5), roomy("n2", 0.2, 0.8), roomy("n3", 0.2, 3.2), roomy("n4", 0.2, 3.2)],
        [sized("big", "n1", 6), ...sizes.map((gibibytes, index) => sized(`g${index + 1}`, "n2", gibibytes))],
      );
    const plan = (state: ReturnType<typeof several>, settings = config(), now = NOW) => decide({ ...state, at: now }, settings, now);
    const routes = (of: ReturnType<typeof plan>) => of.moves.map(({ workload, from, to }) => `${workload} ${from}>${to}`);

    it("moves as few guests of one node as are enough, and says who goes where", () => {
      const made = plan(several(2, 3, 3, 1));
      expect(routes(made)).to.deep.equal(["g2 n2>n3", "g3 n2>n4"]);
      expect(made.skips.map(({ workload, to, because }) => `${workload} ${to} ${because}`)).to.deep.equal([
        "big n2 Room is being made for it on n2: g2 to n3, g3 to n4 first.",
      ]);
      const next = plan(applyPlan(several(2, 3, 3, 1), made), config(), NOW + 700);
      expect(routes(next)).to.deep.equal(["big n1>n2"]);
    });

    it("leaves those where they are without which it is enough as well", () => {
      // Lacking are 1.9 cores and 5.2 GiB. After `both` it is `cores` that gives most, until `memory` makes it superfluous.
      const guest = (id: string, cpuUsedCores: number, gibibytes: number) => sized(id, "n2", gibibytes, { cpuUsedCores });
      const state = snapshot(
        [draining("n1", 0.3, 0.5), roomy("n2", 0.7, 0.8), ...["n3", "n4", "n5"].map((id) => roomy(id, 0.4, 4.48))],
        [sized("big", "n1", 6, { cpuUsedCores: 2.3 }), guest("both", 1.9, 3.9), guest("cores", 1.8, 0.1), guest("memory", 0.1, 4)],
      );
      expect(routes(plan(state))).to.deep.equal(["both n2>n3", "memory n2>n4"]);
    });

    it("goes on guest by guest where the limits let only one go at once, and moves no more of them than that", () => {
      let state = several(2, 3, 3, 1);
      const limited = config({ concurrency: { perNode: 1, fleet: 1 } });
      const done: string[] = [];
      for (let now = NOW; now < NOW + 2000; now += 10) {
        const made = plan(state, limited, now);
        done.push(...routes(made));
        const skip = made.skips.find(({ workload }) => workload === "big");
        if (skip !== undefined) expect(skip.reason, skip.because).to.equal("room-being-made");
        state = applyPlan(state, made);
      }
      expect(done).to.deep.equal(["g2 n2>n3", "g3 n2>n4", "big n1>n2"]);
    });

    it("is not sought by moving five, nor where their places are not enough for all", () => {
      expect(routes(plan(several(1.1, 1.1, 1.1, 1.1, 1.1)))).to.deep.equal([]);
      const narrow = several(3, 3);
      const nodes = narrow.nodes.map((each) => (each.id === "n4" ? roomy("n4", 0.2, 0.8) : each));
      const refused = plan({ ...narrow, nodes });
      expect(routes(refused)).to.deep.equal([]);
      expect(refused.skips.map(({ reason }) => reason)).to.deep.equal(["target-memory-full"]);
    });

    it("is made in CPU as well", () => {
      const busy = (id: string, on: string, cores: number) => workload(id, on, cores, { memoryUsedBytes: GIBIBYTE / 8 });
      const state = snapshot(
        [draining("n1", 0.3), node("n2", 0.7), node("n3", 0.5), node("n4", 0.5)],
        [busy("big", "n1", 3), busy("g1", "n2", 1.5), busy("g2", "n2", 1.5), busy("g3", "n2", 0.5)],
      );
      expect(routes(plan(state))).to.deep.equal(["g1 n2>n3", "g2 n2>n4"]);
    });
  });

  describe("by a chain", () => {
    /** `heavy` would leave enough on n2, but only n3 could take it, and only once `light` has gone to n4. */
    const chain = (light: Partial<WorkloadState> = {}) =>
      snapshot(
        [draining("n1", 0.2, 0.5), roomy("n2", 0.2, 1.6), roomy("n3", 0.2, 3.2), roomy("n4", 0.2, 3.2)],
        [sized("big", "n1", 6), sized("heavy", "n2", 5), sized("light", "n3", 2, light)],
      );
    const routes = (of: ReturnType<typeof decide>) => of.moves.map(({ workload, from, to }) => `${workload} ${from}>${to}`);

    it("moves the last first, and each only when the readings show its room", () => {
      let state = chain();
      const steps: string[] = [];
      const said: string[] = [];
      for (let now = NOW; now < NOW + 2000; now += 10) {
        const plan = decide({ ...state, at: now }, config(), now);
        steps.push(...routes(plan).map((route) => route));
        const skip = plan.skips.find(({ workload }) => workload === "big");
        if (skip !== undefined && said.at(-1) !== skip.because) said.push(skip.because);
        if (skip !== undefined) expect(skip.reason).to.equal("room-being-made");
        state = applyPlan(state, plan);
      }
      expect(steps).to.deep.equal(["light n3>n4", "heavy n2>n3", "big n1>n2"]);
      expect(said[0]).to.equal("Room is being made for it on n2: light to n4 first, then heavy to n3.");
    });

    it("is not begun with a guest that rests, or whose own place would be the room that is made", () => {
      expect(routes(decide(chain({ lastMovedAt: NOW - 300 }), config(), NOW))).to.deep.equal([]);
      expect(routes(decide(chain({ constraints: constraints({ pinnedTo: ["n2", "n3"] }) }), config(), NOW))).to.deep.equal([]);
    });
  });

  it("is made for a group as a whole, which goes only when there is room for all of it", () => {
    const together = { constraints: constraints({ affinityGroup: "shop" }) };
    const state = snapshot(
      [draining("n1", 0.2, 0.5), roomy("n2", 0.2, 0.8), roomy("n3", 0.2, 3.2), roomy("n4", 0.2, 3.2)],
      [
        sized("front", "n1", 3, together),
        sized("back", "n1", 3, together),
        ...[3, 3, 2].map((gibibytes, index) => sized(`g${index + 1}`, "n2", gibibytes)),
      ],
    );
    const routes = (of: ReturnType<typeof decide>) => of.moves.map(({ workload, from, to }) => `${workload} ${from}>${to}`);
    const plan = decide(state, config(), NOW);
    expect(routes(plan), "3 GiB alone would fit on n3").to.deep.equal(["g1 n2>n3", "g2 n2>n4"]);
    expect(plan.skips.map(({ workload, to, reason }) => `${workload} ${to} ${reason}`)).to.deep.equal([
      "back n2 room-being-made",
      "front n2 room-being-made",
    ]);
    const later = NOW + 700;
    const next = decide({ ...applyPlan(state, plan), at: later }, config(), later);
    expect(routes(next)).to.deep.equal(["back n1>n2", "front n1>n2"]);
  });
});
