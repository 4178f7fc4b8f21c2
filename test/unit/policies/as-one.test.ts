import { expect } from "chai";
import { canMove } from "../../../policies/can-move.js";
import { decide } from "../../../policies/decide.js";
import { drainStatus } from "../../../policies/maintenance/drain-status.js";
import { whyNoLongerWanted } from "../../../policies/still-wanted.js";
import type { Constraints, NodeState, Snapshot, WorkloadState } from "../../../policies/types.js";
import { config, constraints, draining, GIBIBYTE, NOW, node, snapshot, workload } from "./small-fleet.js";

const member = (override: Partial<Constraints> = {}) => constraints({ group: "shop", affinityGroup: "shop", ...override });
const front = workload("front", "n1", 0.5, { memoryUsedBytes: GIBIBYTE, constraints: member() });
/** n1 is drained of front and back, which move as one; n2 is emptier than n3, and front, the bigger, goes first. */
const fleet = (
  back: Partial<WorkloadState> & { readonly constraints?: Constraints } = {},
  more: WorkloadState[] = [],
  n2 = 0.1,
): Snapshot =>
  snapshot(
    [draining("n1", 0.3), node("n2", n2), node("n3", 0.3)],
    [front, workload("back", "n1", 0.5, { constraints: member(), ...back }), ...more],
  );
const movesOf = (state: Snapshot) => decide(state, config(), NOW).moves.map(({ workload: id, to }) => `${id} ${to}`);
const frontStays = (state: Snapshot) => decide(state, config(), NOW).skips.find(({ workload: id }) => id === "front");

describe("Workloads that move as one", () => {
  it("are planned together, once, and hold room and limits together", () => {
    expect(movesOf(fleet())).to.deep.equal(["front n2", "back n2"]);
    const tight = { ...config(), concurrency: { perNode: 1, fleet: 4 } };
    const plan = decide(fleet({}, [workload("other", "n1", 0.1)]), tight, NOW);
    expect(plan.moves.map(({ workload: id, to }) => `${id} ${to}`)).to.deep.equal(["front n2", "back n2"]);
    expect(plan.moves[1]!.because).to.equal("It moves as one with front.");
    expect(plan.skips.map(({ workload: id, reason }) => `${id} ${reason}`)).to.deep.equal(["other source-busy"]);
  });

  for (const [what, label, reason] of [
    ["is pinned elsewhere", { pinnedTo: ["n3"] }, "workload-pinned"],
    ["must be apart from what runs there", { antiAffinityGroup: "db" }, "anti-affinity"],
  ] as const) {
    it(`go to another node when one of them ${what}, and an operator hears of which`, () => {
      const state = fleet({ constraints: member(label) }, [
        workload("db", "n2", 0.1, { constraints: constraints({ antiAffinityGroup: "db" }) }),
      ]);
      expect(movesOf(state)).to.deep.equal(["front n3", "back n3"]);
      const skip = canMove(state, config(), NOW, "front", "n2");
      expect(skip).to.include({ reason, to: "n2" });
      expect(skip!.because).to.match(/^It moves as one with back, of which holds: /);
    });
  }

  it("go to another node when the last move there of one of them was refused", () => {
    const refusals = [{ at: NOW - 10, to: "n2", code: "address-taken", because: "web has it", passes: false }];
    expect(movesOf(fleet({ refusals }))).to.deep.equal(["front n3", "back n3"]);
  });

  it("go to another zone when one of them must", () => {
    const spread = (id: string, on: string) => workload(id, on, 0.1, { constraints: constraints({ zoneSpreadGroup: "s" }) });
    const state = fleet({ constraints: member({ zoneSpreadGroup: "s" }) }, [spread("s2", "n2")]);
    const zoned: NodeState[] = state.nodes.map((each, index) => ({ ...each, labels: { "io.evenkeel.zone": `z${index}` } }));
    expect(movesOf({ ...state, nodes: zoned })).to.deep.equal(["front n3", "back n3"]);
  });

  for (const [what, back, reason, sentence] of [
    ["must not be moved", { constraints: member({ mode: "never" }) }, "workload-never", "its label io.evenkeel.mode forbids moves"],
    ["is of unknown use", { cpuUsedCores: null }, "workload-unknown-usage", "its use is not known"],
    [
      "was refused everywhere",
      { refusals: [{ at: NOW - 10, to: null, code: "tty", because: "It has a terminal", passes: false }] },
      "workload-refused",
      "its last move came to nothing (tty: It has a terminal)",
    ],
  ] as const) {
    it(`stay when one of them ${what}, hold nobody else up, and the drain says so`, () => {
      const state = fleet(back, [workload("other", "n1", 0.1)]);
      const tight = { ...config(), concurrency: { perNode: 1, fleet: 4 } };
      expect(decide(state, tight, NOW).moves.map(({ workload: id }) => id)).to.deep.equal(["other"]);
      const skip = frontStays(state);
      expect(skip).to.include({ reason });
      expect(skip!.because).to.include(`It moves as one with back, of which holds: ${sentence}`);
      const { blocked, movable } = drainStatus(state, "n1", config());
      expect(movable).to.deep.equal(["other"]);
      expect(blocked.find(({ workload: id }) => id === "front")!.because).to.equal(skip!.because);
    });
  }

  it("need room for all of them, and the sentence says how much", () => {
    const state = fleet({ memoryUsedBytes: 12 * GIBIBYTE });
    expect(movesOf(state)).to.deep.equal([]);
    const skip = canMove(state, config(), NOW, "front", "n2");
    expect(skip!.reason).to.equal("target-memory-full");
    expect(skip!.because).to.equal(
      "It moves as one with back, and for all of them n2 has no room for 13.0 GiB below 90.0 % of its memory, or for twice that while it moves.",
    );
  });

  it("count as so many against a disruption budget", () => {
    const budget = { group: "b", moving: 2 };
    const shop = (moving: number) => {
      const labels = member({ disruptionBudget: { ...budget, moving } });
      return {
        ...fleet({ constraints: labels }),
        workloads: [{ ...front, constraints: labels }, workload("back", "n1", 0.5, { constraints: labels })],
      };
    };
    expect(movesOf(shop(2))).to.have.length(2);
    expect(movesOf(shop(1))).to.deep.equal([]);
    expect(frontStays(shop(1))!.reason).to.equal("disruption-budget");
    expect(drainStatus(shop(1), "n1", config()).blocked[0]!.because).to.include("more than a disruption budget of theirs ever lets move");
  });

  it("may be apart from nobody but each other, and still move", () => {
    const apart = member({ antiAffinityGroup: "db" });
    const state = fleet({ constraints: apart });
    const both = { ...state, workloads: state.workloads.map((each) => ({ ...each, constraints: apart })) };
    expect(movesOf(both)).to.deep.equal(["front n2", "back n2"]);
  });

  it("are still wanted although all of their migrations are open", () => {
    const state = fleet();
    const open = ["front", "back"].map((id) => ({ id: `m-${id}`, workload: id, from: "n1", to: "n2" }));
    const moment = { snapshot: { ...state, migrations: open }, config: config(), now: NOW, verdicts: [] };
    expect(whyNoLongerWanted(moment, { workload: "front", from: "n1", to: "n2", reason: "maintenance" })).to.equal(null);
  });

  it("wait for one of them that is being moved alone", () => {
    const state = { ...fleet(), migrations: [{ id: "m", workload: "back", from: "n1", to: "n2" }] };
    expect(frontStays(state)!.reason).to.equal("workload-migrating");
    expect(drainStatus(state, "n1", config())).to.deep.include({ moving: ["back"], movable: ["front"], blocked: [] });
  });
});
