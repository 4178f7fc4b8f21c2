import { expect } from "chai";
import fc from "fast-check";
import { applyPlan } from "../../../policies/apply-plan.js";
import { DEFAULT_POLICY_CONFIG, type PolicyConfig } from "../../../policies/config.js";
import { decide } from "../../../policies/decide.js";
import { drainStatus } from "../../../policies/maintenance/drain-status.js";
import type { Plan, SkipReason, Snapshot, WorkloadState } from "../../../policies/types.js";
import { flatHistory, node, snapshot, workload } from "../../unit/policies/small-fleet.js";
import { anyConfig, anySnapshot, NOW } from "./any-fleet.js";

/** Reasons that pass by themselves, and so must not be the last word on a workload that stays. */
const PASSING: ReadonlySet<SkipReason> = new Set([
  "fleet-busy",
  "source-busy",
  "target-busy",
  "target-settling",
  "workload-cooling-down",
  "workload-migrating",
  "disruption-budget",
  "room-being-made",
]);

describe("any drain", () => {
  it("ends: carried on tick by tick it empties its nodes, or names what holds each workload that is left", () => {
    fc.assert(
      fc.property(anySnapshot, anyConfig, (start, config) => {
        let snapshot = { ...start, migrations: [] as typeof start.migrations };
        let now = NOW;
        // What has been moved out of the way is waited for, and what rests may move later: only several quiet ticks are the end.
        let quietTicks = 0;
        for (let tick = 0; quietTicks < 3; tick++) {
          expect(tick).to.be.lessThan(10 * start.workloads.length + 10);
          const plan = decide(snapshot, { ...config, overload: { ...config.overload, enabled: false } }, now);
          quietTicks = plan.moves.length > 0 ? 0 : quietTicks + 1;
          snapshot = { ...applyPlan(snapshot, plan), at: now };
          now += 700;
        }
        const { skips } = decide(snapshot, { ...config, overload: { ...config.overload, enabled: false } }, now);
        for (const node of snapshot.nodes.filter(({ maintenance }) => maintenance !== null)) {
          const status = drainStatus(snapshot, node.id, { ...config, overload: { ...config.overload, enabled: false } });
          expect(status.remaining.length).to.equal(status.blocked.length);
          for (const id of status.remaining) {
            const skip = skips.find(({ workload }) => workload === id);
            expect(skip, `${id} left on ${node.id}`).to.not.equal(undefined);
            const isForGood = skip!.because.includes("more than a disruption budget of theirs ever lets move");
            expect(PASSING.has(skip!.reason) && !isForGood, skip!.because).to.equal(false);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it("of a tight fleet makes room by several and by chains, is never over capacity at either end meanwhile, and ends", () => {
    const seen = { several: 0, chained: 0, freed: 0 };
    fc.assert(
      fc.property(anyTightFleet, fc.constantFrom(1, 2, 100), (start, perNode) => {
        const config: PolicyConfig = { ...DEFAULT_POLICY_CONFIG, cooldownSeconds: 0, concurrency: { perNode, fleet: 100 } };
        let state = start;
        let now = NOW;
        const moved = new Map<string, number>();
        for (let tick = 0, quiet = 0; quiet < 3; tick++) {
          expect(tick).to.be.lessThan(10 * start.workloads.length + 10);
          const plan = decide({ ...state, at: now }, config, now);
          checkRoom(state, plan);
          for (const { workload } of plan.moves) moved.set(workload, (moved.get(workload) ?? 0) + 1);
          const making = plan.moves.filter(({ from }) => from !== "n0");
          if (making.length > 1) seen.several++;
          if (plan.skips.some(({ reason, because }) => reason === "room-being-made" && because.includes(", then "))) seen.chained++;
          quiet = plan.moves.length > 0 ? 0 : quiet + 1;
          state = applyPlan(state, plan);
          now += 700;
        }
        const made = [...moved.keys()].filter((id) => start.workloads.find((each) => each.id === id)!.node !== "n0");
        if (made.length > 1 && state.workloads.every(({ node }) => node !== "n0")) seen.freed++;
        const last = decide({ ...state, at: now }, config, now);
        for (const { workload, reason } of last.skips) expect(PASSING.has(reason), workload).to.equal(false);
      }),
      { numRuns: 400 },
    );
    expect(Math.min(...Object.values(seen)), JSON.stringify(seen)).to.be.greaterThan(3);
  });
});

const GIBIBYTE = 2 ** 30;
const NODE_GIBIBYTES = 32;
/** Taken by no workload, so that the images of what moves do not decide alone. */
const IDLE_GIBIBYTES = 14.4;
const FILLED_GIBIBYTES = 13.6;

/** Like nodes, filled with workloads of every size to a fifth or less below what they may hold; n0, which is to be emptied, has large ones. */
const anyTightFleet: fc.Arbitrary<Snapshot> = fc
  .tuple(
    fc.array(fc.integer({ min: 8, max: 14 }), { minLength: 1, maxLength: 2 }),
    fc.array(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 5, maxLength: 9 }), { minLength: 3, maxLength: 6, size: "max" }),
  )
  .map(([large, others]) => {
    const sizes = [large, ...others];
    const workloads = sizes.flatMap((list, on) => {
      let left = FILLED_GIBIBYTES;
      return list.flatMap((halves, index): WorkloadState[] => {
        if (halves / 2 > left || (on > 0 && left < 3.2)) return [];
        left -= halves / 2;
        return [workload(`w${on}-${index}`, `n${on}`, 0.05, { memoryUsedBytes: (halves / 2) * GIBIBYTE })];
      });
    });
    const nodes = sizes.map((_, index) => {
      const id = `n${index}`;
      const used = workloads.filter(({ node: at }) => at === id).reduce((sum, { memoryUsedBytes }) => sum + memoryUsedBytes!, 0);
      const memoryRatio = 0.01 + (IDLE_GIBIBYTES + used / GIBIBYTE) / NODE_GIBIBYTES;
      const maintenance = index === 0 ? { since: NOW - 10, deadline: null, reason: "test" } : null;
      const memoryCapacityBytes = NODE_GIBIBYTES * GIBIBYTE;
      return node(id, 0.1, memoryRatio, { maintenance, memoryCapacityBytes, history: flatHistory(0.1, memoryRatio, NOW, 300) });
    });
    return { ...snapshot(nodes, workloads), at: NOW };
  });

/** Nothing is credited that has not left, and what arrives is counted at once: so each plan fits, in whatever order its moves end. */
function checkRoom(state: Snapshot, { moves }: Plan): void {
  for (const { id, memoryUsedBytes, memoryCapacityBytes } of state.nodes) {
    const arriving = moves.filter(({ to }) => to === id).map((move) => state.workloads.find((each) => each.id === move.workload)!);
    if (arriving.length === 0) continue;
    const bytes = memoryUsedBytes! + arriving.reduce((sum, each) => sum + each.memoryUsedBytes!, 0);
    expect(bytes / memoryCapacityBytes).to.be.at.most(DEFAULT_POLICY_CONFIG.headroom.memoryRatio + 1e-9);
    const imageBytes = bytes - memoryUsedBytes!;
    expect((bytes + imageBytes) / memoryCapacityBytes).to.be.at.most(1 + 1e-9);
  }
}
