import { expect } from "chai";
import fc from "fast-check";
import { applyPlan } from "../../../policies/apply-plan.js";
import { decide } from "../../../policies/decide.js";
import { drainStatus } from "../../../policies/maintenance/drain-status.js";
import type { SkipReason } from "../../../policies/types.js";
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
]);

describe("any drain", () => {
  it("ends: carried on tick by tick it empties its nodes, or names what holds each workload that is left", () => {
    fc.assert(
      fc.property(anySnapshot, anyConfig, (start, config) => {
        let snapshot = { ...start, migrations: [] as typeof start.migrations };
        let now = NOW;
        let moves = Number.POSITIVE_INFINITY;
        for (let tick = 0; moves > 0; tick++) {
          expect(tick).to.be.lessThan(2 * start.workloads.length + 10);
          const plan = decide(snapshot, { ...config, overload: { ...config.overload, enabled: false } }, now);
          moves = plan.moves.length;
          snapshot = { ...applyPlan(snapshot, plan), at: now };
          now += 60;
        }
        const { skips } = decide(snapshot, { ...config, overload: { ...config.overload, enabled: false } }, now);
        for (const node of snapshot.nodes.filter(({ maintenance }) => maintenance !== null)) {
          const status = drainStatus(snapshot, node.id, { ...config, overload: { ...config.overload, enabled: false } });
          expect(status.remaining.length).to.equal(status.blocked.length);
          for (const id of status.remaining) {
            const skip = skips.find(({ workload }) => workload === id);
            expect(skip, `${id} left on ${node.id}`).to.not.equal(undefined);
            expect(PASSING.has(skip!.reason)).to.equal(false);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
