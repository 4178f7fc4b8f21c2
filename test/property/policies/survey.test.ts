import { expect } from "chai";
import fc from "fast-check";
import type { PolicyConfig } from "../../../policies/config.js";
import { type JudgedContext, openContext } from "../../../policies/context.js";
import { enterMove } from "../../../policies/ledger.js";
import { needOf } from "../../../policies/need.js";
import { overload } from "../../../policies/overload/policy.js";
import { whyNotThere } from "../../../policies/stages/feasible.js";
import { whyNotArrive } from "../../../policies/stages/gates.js";
import { whyNotLevelTo } from "../../../policies/stages/level-target.js";
import { addRefusal, openRefusals } from "../../../policies/stages/refusals.js";
import { burdenedRatio } from "../../../policies/stages/score.js";
import { Survey } from "../../../policies/stages/survey.js";
import { TargetOrder } from "../../../policies/stages/target-order.js";
import { judgeNodes } from "../../../policies/stages/verdicts.js";
import type { Snapshot } from "../../../policies/types.js";
import { anyConfig, anySnapshot, NOW } from "./any-fleet.js";

function contextOf(snapshot: Snapshot, config: PolicyConfig): JudgedContext {
  const context = openContext(snapshot, config, NOW);
  return { ...context, verdicts: judgeNodes([overload], context), avoided: new Set() };
}

describe("a survey of all nodes, for any fleet", () => {
  it("says of every workload what the constraints say node by node, with the same nodes named in the same order", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(
        anySnapshot,
        anyConfig,
        fc.array(fc.record({ workload: fc.nat(), to: fc.nat() }), { maxLength: 4 }),
        (snapshot, config, entered) => {
          const context = contextOf(snapshot, config);
          const { fleet, ledger } = context;
          for (const move of entered) {
            const workload = snapshot.workloads[move.workload % snapshot.workloads.length];
            const need = workload && needOf(workload);
            if (workload && need) enterMove(ledger, workload, need, fleet.nodes[move.to % fleet.nodes.length]!);
          }
          const survey = new Survey(context, "overload");
          for (const [position, node] of fleet.nodes.entries()) {
            expect(survey.whyNotArrive(position)).to.equal(whyNotArrive(context, node.id, "overload"));
            if (node.load) expect(survey.burdenedRatio("memory", position)).to.equal(burdenedRatio("memory", node, ledger));
          }
          for (const workload of fleet.workloadById.values()) {
            const need = needOf(workload);
            if (need === null) continue;
            const expected = openRefusals();
            for (const node of fleet.nodes) {
              if (node.id === workload.node) continue;
              const reason = whyNotThere(workload, need, node, context) ?? whyNotLevelTo(node, context) ?? "cost-too-high";
              addRefusal(expected, node, reason);
              seen.add(reason);
            }
            const found = survey.refusalsOf(workload, need, () => "cost-too-high");
            expect(found.count).to.equal(expected.count);
            expect([...found.byReason]).to.deep.equal([...expected.byReason]);
          }
        },
      ),
      { numRuns: 300 },
    );
    expect([...seen]).to.include.members([
      "target-cpu-full",
      "target-without-network",
      "anti-affinity",
      "target-has-volume",
      "target-cordoned",
    ]);
  });
});

describe("the order of targets, for any fleet", () => {
  it("is kept as moves are entered: as if it were made anew", () => {
    fc.assert(
      fc.property(
        anySnapshot,
        anyConfig,
        fc.array(fc.record({ workload: fc.nat(), to: fc.nat() }), { maxLength: 8 }),
        (snapshot, config, entered) => {
          const { fleet, ledger } = contextOf(snapshot, config);
          const known = fleet.nodes.filter(({ load }) => load !== null);
          if (known.length === 0) return;
          const order = new TargetOrder(known, "cpu", ledger);
          for (const move of entered) {
            const workload = snapshot.workloads[move.workload % snapshot.workloads.length];
            const need = workload && needOf(workload);
            if (!workload || !need) continue;
            const target = known[move.to % known.length]!;
            enterMove(ledger, workload, need, target);
            order.update(target);
            expect(order.peers).to.deep.equal(new TargetOrder(known, "cpu", ledger).peers);
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});
