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
            expect(PASSING.has(skip!.reason), skip!.because).to.equal(false);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
