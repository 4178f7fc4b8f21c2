import { expect } from "chai";
import fc from "fast-check";
import { applyPlan } from "../../../policies/apply-plan.js";
import { decide } from "../../../policies/decide.js";
import type { MoveReason, Plan, Snapshot, WorkloadState } from "../../../policies/types.js";
import { anyConfig, anySnapshot, NOW, withoutLimits } from "./any-fleet.js";

const RUNS = { numRuns: 400 };
/** Sums of floating point numbers in another order differ by this much at most. */
const ROUNDING = 1e-9;

function forAnyPlan(check: (snapshot: Snapshot, plan: Plan, config: Parameters<typeof decide>[1]) => void): void {
  fc.assert(
    fc.property(anySnapshot, anyConfig, (snapshot, config) => check(snapshot, decide(snapshot, config, NOW), config)),
    RUNS,
  );
}

const FORCED: ReadonlySet<MoveReason> = new Set(["maintenance", "health"]);

const byId = <T extends { readonly id: string }>(items: readonly T[]) => new Map(items.map((item) => [item.id, item]));
/** Alike for those that move as one. */
const asOneOf = ({ id, node, constraints }: WorkloadState) => (constraints.group ? `${node} ${constraints.group}` : id);
const reserve = (workload: WorkloadState | undefined) => ({
  cpu: workload?.cpuUsedCores ?? workload?.cpuLimitCores ?? Number.POSITIVE_INFINITY,
  memory: workload?.memoryUsedBytes ?? workload?.memoryLimitBytes ?? Number.POSITIVE_INFINITY,
});

describe("any plan, for any fleet", () => {
  it("keeps each destination within its headroom while both ends hold what moves, open migrations and all", () => {
    forAnyPlan((snapshot, plan, config) => {
      const workloads = byId(snapshot.workloads);
      for (const node of snapshot.nodes) {
        const arriving = [...plan.moves, ...snapshot.migrations]
          .filter(({ to }) => to === node.id)
          .map(({ workload }) => reserve(workloads.get(workload)));
        if (!plan.moves.some((move) => move.to === node.id)) continue;
        const cpu = node.cpuUsedCores! + arriving.reduce((sum, need) => sum + need.cpu, 0);
        const memory = node.memoryUsedBytes! + arriving.reduce((sum, need) => sum + need.memory, 0);
        expect(cpu / node.cpuCapacityCores).to.be.at.most(config.headroom.cpuRatio + ROUNDING);
        expect(memory / node.memoryCapacityBytes).to.be.at.most(config.headroom.memoryRatio + ROUNDING);
        const images = memory - node.memoryUsedBytes!;
        expect((memory + images) / node.memoryCapacityBytes).to.be.at.most(1 + ROUNDING);
      }
    });
  });

  it("leaves no destination over its headroom afterwards", () => {
    forAnyPlan((snapshot, plan, config) => {
      const after = byId(applyPlan(snapshot, plan).nodes);
      for (const { to } of plan.moves) {
        const node = after.get(to)!;
        expect(node.cpuUsedCores! / node.cpuCapacityCores).to.be.at.most(config.headroom.cpuRatio + ROUNDING);
        expect(node.memoryUsedBytes! / node.memoryCapacityBytes).to.be.at.most(config.headroom.memoryRatio + ROUNDING);
      }
    });
  });

  it("is followed by a plan without moves, when nothing had to wait its turn", () => {
    fc.assert(
      fc.property(anySnapshot, anyConfig, (snapshot, limited) => {
        const config = withoutLimits(limited);
        const plan = decide(snapshot, config, NOW);
        // Balance that has been begun goes on to its lower bound: here is looked at what would be begun anew.
        const next = decide({ ...applyPlan(snapshot, plan), levelledAt: null }, config, NOW);
        const waits = plan.skips.some(
          ({ reason }) => reason === "disruption-budget" || reason === "move-window" || reason === "room-being-made",
        );
        // A repair comes after the levelling, and may free a place that the levelling had to do without.
        const repairs = plan.moves.some(({ reason }) => reason === "placement");
        if (!waits && !repairs)
          expect(next.moves.filter(({ reason }) => reason === "overload" || reason === "room" || reason === "balance")).to.deep.equal([]);
      }),
      RUNS,
    );
  });

  it("takes nothing from a node without an executor that is heard, and brings nothing there", () => {
    forAnyPlan((snapshot, plan) => {
      const nodes = byId(snapshot.nodes);
      for (const { from, to } of plan.moves) for (const end of [from, to]) expect(nodes.get(end)!.executorSilent).to.equal(false);
    });
  });

  it("takes nothing from a silent node, and brings nothing to one that is silent, under maintenance, cordoned or failing", () => {
    forAnyPlan((snapshot, plan) => {
      const nodes = byId(snapshot.nodes);
      for (const { from, to } of plan.moves) {
        for (const end of [from, to]) expect(nodes.get(end)).to.include({ state: "ready" });
        expect(nodes.get(from)!.cpuUsedCores).to.not.equal(null);
        expect(nodes.get(to)!.cpuUsedCores).to.not.equal(null);
        expect(nodes.get(to)!.maintenance).to.equal(null);
        expect(nodes.get(to)!.cordoned).to.equal(false);
        expect(nodes.get(to)!.health).to.deep.equal([]);
        expect(from).to.not.equal(to);
      }
    });
  });

  it("levels nothing off a cordoned node, and yet relieves and empties it", () => {
    forAnyPlan((snapshot, plan) => {
      const nodes = byId(snapshot.nodes);
      for (const { from, reason } of plan.moves) {
        if (nodes.get(from)!.cordoned) expect(reason).to.be.oneOf(["overload", "placement", "maintenance", "health"]);
      }
    });
  });

  it("moves each workload at most once, and none that is forbidden, bound to its node, pinned elsewhere, migrating, or resting", () => {
    forAnyPlan((snapshot, plan, config) => {
      const workloads = byId(snapshot.workloads);
      const migrating = new Set(snapshot.migrations.map(({ workload }) => workload));
      expect(new Set(plan.moves.map(({ workload }) => workload)).size).to.equal(plan.moves.length);
      for (const move of plan.moves) {
        const { constraints, lastMovedAt, node, boundBy } = workloads.get(move.workload)!;
        expect(move.from).to.equal(node);
        expect(boundBy).to.equal(undefined);
        expect(constraints.mode).to.not.equal("never");
        expect(migrating.has(move.workload)).to.equal(false);
        if (constraints.pinnedTo.length > 0) expect(constraints.pinnedTo).to.include(move.to);
        if (!FORCED.has(move.reason) && lastMovedAt !== null) expect(NOW - lastMovedAt).to.be.at.least(config.cooldownSeconds);
      }
    });
  });

  it("brings no two workloads of a group together, on their way or for good", () => {
    forAnyPlan((snapshot, plan) => {
      const workloads = byId(snapshot.workloads);
      const groupAt = (id: string) => workloads.get(id)?.constraints.antiAffinityGroup ?? null;
      for (const move of plan.moves) {
        const group = groupAt(move.workload);
        if (group === null) continue;
        const there = snapshot.workloads.filter((other) => other.node === move.to && other.constraints.antiAffinityGroup === group);
        const asOne = asOneOf(workloads.get(move.workload)!);
        // What moves as one cannot be parted, whatever else its labels say.
        const coming = [...plan.moves, ...snapshot.migrations].filter(
          (other) => other.to === move.to && groupAt(other.workload) === group && asOneOf(workloads.get(other.workload)!) !== asOne,
        );
        expect([...there, ...coming]).to.deep.equal([]);
      }
    });
  });

  it("brings no two containers of one name together, on their way or for good", () => {
    forAnyPlan((snapshot, plan) => {
      const workloads = byId(snapshot.workloads);
      const nodes = byId(snapshot.nodes);
      for (const move of plan.moves) {
        const { id, name } = workloads.get(move.workload)!;
        const isNamesake = (other: string) => other !== id && workloads.get(other)!.name === name;
        const there = snapshot.workloads.filter((other) => other.node === move.to && isNamesake(other.id));
        const coming = [...plan.moves, ...snapshot.migrations].filter(({ workload, to }) => to === move.to && isNamesake(workload));
        expect([...there, ...coming]).to.deep.equal([]);
        expect(nodes.get(move.to)!.endedNames ?? []).to.not.include(name);
      }
    });
  });

  it("brings no two volumes of one name together, on their way or for good", () => {
    forAnyPlan((snapshot, plan) => {
      const workloads = byId(snapshot.workloads);
      for (const move of plan.moves) {
        const mover = workloads.get(move.workload)!;
        const isOther = (other: WorkloadState) =>
          asOneOf(other) !== asOneOf(mover) && other.volumes?.some((name) => mover.volumes?.includes(name)) === true;
        const there = snapshot.workloads.filter((other) => other.node === move.to && isOther(other));
        const coming = [...plan.moves, ...snapshot.migrations].filter(
          ({ workload, to }) => to === move.to && isOther(workloads.get(workload)!),
        );
        expect([...there, ...coming]).to.deep.equal([]);
      }
    });
  });

  it("keeps the limits per node and for the fleet, open migrations counted", () => {
    forAnyPlan((snapshot, plan, config) => {
      if (plan.moves.length === 0) return;
      const workloads = byId(snapshot.workloads);
      // One job carries all that move as one.
      const jobs = (moves: readonly { workload: string }[]) => new Set(moves.map(({ workload }) => asOneOf(workloads.get(workload)!))).size;
      expect(jobs(plan.moves) + snapshot.migrations.length).to.be.at.most(config.concurrency.fleet);
      for (const end of new Set(plan.moves.flatMap(({ from, to }) => [from, to]))) {
        const touches = ({ from, to }: { from: string; to: string }) => from === end || to === end;
        const touching = jobs(plan.moves.filter(touches)) + snapshot.migrations.filter(touches).length;
        expect(touching).to.be.at.most(config.concurrency.perNode);
      }
    });
  });

  it("moves all that move as one, to one node, or none of them", () => {
    forAnyPlan((snapshot, plan) => {
      const workloads = byId(snapshot.workloads);
      const toOf = new Map(plan.moves.map(({ workload, to }) => [workload, to]));
      for (const { workload: id, to } of plan.moves) {
        const mover = workloads.get(id)!;
        for (const other of snapshot.workloads)
          if (asOneOf(other) === asOneOf(mover)) expect(toOf.get(other.id), `${other.id} with ${id}`).to.equal(to);
      }
    });
  });

  it("keeps groups together, zones even, machines and networks fitting, and disruption budgets", () => {
    forAnyPlan((snapshot, plan) => {
      const workloads = byId(snapshot.workloads);
      const nodes = byId(snapshot.nodes);
      const under = [...plan.moves, ...snapshot.migrations];
      const headedFor = new Map(under.map(({ workload, to }) => [workload, to]));
      const isHeard = (id: string) => nodes.get(id)?.state === "ready";
      for (const { workload: id, to, from, reason } of plan.moves) {
        const { architecture, constraints, networks } = workloads.get(id)!;
        const target = nodes.get(to)!;
        if (networks && target.networks) expect(target.networks).to.include.members([...networks]);
        const own = architecture ?? nodes.get(from)!.architecture;
        if (own && target.architecture) expect(own).to.equal(target.architecture);
        const budget = constraints.disruptionBudget;
        const disrupted = under.filter(({ workload }) => workloads.get(workload)?.constraints.disruptionBudget);
        if (budget) expect(disrupted.length).to.be.at.most(Math.max(2, budget.moving));
        const group = constraints.affinityGroup;
        // Nobody can follow to a node that is not heard.
        const others = snapshot.workloads.filter(
          (other) =>
            group && other.constraints.affinityGroup === group && other.id !== id && (headedFor.has(other.id) || isHeard(other.node)),
        );
        const places = new Set(others.map((other) => headedFor.get(other.id) ?? other.node));
        places.delete(from);
        if (places.size > 0) expect(places.has(to)).to.equal(true);
        else if (others.length > 0) expect(FORCED.has(reason)).to.equal(true);
      }
    });
  });

  it("respects an open window but for drains and evacuations", () => {
    forAnyPlan((snapshot, plan) => {
      const closed = snapshot.windows?.[0]?.node;
      for (const { from, to, reason } of plan.moves) if (!FORCED.has(reason)) expect([from, to]).to.not.include(closed);
    });
  });

  it("speaks once of every workload on a node that is overloaded or draining", () => {
    forAnyPlan((snapshot, plan) => {
      const troubled = new Set(
        plan.verdicts.filter(({ verdict }) => verdict === "overloaded" || verdict === "draining").map(({ node }) => node),
      );
      const expected = snapshot.workloads.filter(({ node }) => troubled.has(node)).map(({ id }) => id);
      const entries = [...plan.moves, ...plan.skips];
      expect(new Set(entries.map(({ workload }) => workload)).size).to.equal(entries.length);
      const named = entries.filter(({ from }) => troubled.has(from)).map(({ workload }) => workload);
      expect(named.sort()).to.deep.equal(expected.sort());
      for (const { because } of [...plan.moves, ...plan.skips, ...plan.verdicts]) expect(because).to.match(/\.$/);
    });
  });

  it("does not change what it was given", () => {
    fc.assert(
      fc.property(anySnapshot, anyConfig, (snapshot, config) => {
        const before = JSON.stringify([snapshot, config]);
        applyPlan(snapshot, decide(snapshot, config, NOW));
        expect(JSON.stringify([snapshot, config])).to.equal(before);
      }),
      RUNS,
    );
  });

  it("does not depend on the order of the input", () => {
    fc.assert(
      fc.property(anySnapshot, anyConfig, fc.infiniteStream(fc.nat()), (snapshot, config, random) => {
        const shuffle = <T>(items: readonly T[]) =>
          items
            .map((item) => ({ item, key: random.next().value as number }))
            .sort((a, b) => a.key - b.key)
            .map(({ item }) => item);
        const shuffled = {
          ...snapshot,
          nodes: shuffle(snapshot.nodes),
          workloads: shuffle(snapshot.workloads),
          migrations: shuffle(snapshot.migrations),
        };
        expect(decide(shuffled, config, NOW)).to.deep.equal(decide(snapshot, config, NOW));
      }),
      RUNS,
    );
  });
});
