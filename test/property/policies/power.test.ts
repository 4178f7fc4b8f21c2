import { expect } from "chai";
import fc from "fast-check";
import { applyPlan } from "../../../policies/apply-plan.js";
import { completeConfig, type PolicyConfig } from "../../../policies/config.js";
import { findUnbearableLoss } from "../../../policies/consolidate/bear-loss.js";
import { decide } from "../../../policies/decide.js";
import { indexFleet } from "../../../policies/fleet.js";
import { forecastLoad } from "../../../policies/forecast/load-forecast.js";
import type { NodeState, Plan, Snapshot, WorkloadState } from "../../../policies/types.js";
import { anyConfig, anySnapshot, NOW, withoutLimits } from "./any-fleet.js";

const RUNS = { numRuns: 250 };
const LABEL = "io.evenkeel.may-sleep";

/** Any fleet, half of the time without the troubles that keep power saving from doing anything, with some empty nodes and some asleep. */
const anyPowered: fc.Arbitrary<Snapshot> = fc
  .tuple(
    anySnapshot,
    fc.boolean(),
    fc.array(fc.constantFrom("empty", "empty", "asleep", "waking", "falling-asleep", "closing"), { maxLength: 4 }),
    fc.constantFrom(null, null, true, false),
  )
  .map(([snapshot, isCalm, extra, window]) => {
    const calm = (node: NodeState): NodeState => {
      const history = node.history.map(({ at }) => ({ at, cpuRatio: 0.2, memoryRatio: 0.2 }));
      const used = { cpuUsedCores: 0.2 * node.cpuCapacityCores, memoryUsedBytes: 0.2 * node.memoryCapacityBytes };
      return {
        ...node,
        ...used,
        state: "ready",
        history,
        architecture: null,
        maintenance: null,
        cordoned: false,
        executorSilent: false,
        health: [],
      };
    };
    const nodes = snapshot.nodes.map((node) => ({ ...(isCalm ? calm(node) : node), labels: { ...node.labels, [LABEL]: "true" } }));
    const added = extra.map((kind, index): NodeState => {
      const history = Array.from({ length: 31 }, (_, point) => ({ at: NOW - 300 + point * 10, cpuRatio: 0.01, memoryRatio: 0.02 }));
      const size = { cpuCapacityCores: 8, memoryCapacityBytes: 16 * 2 ** 30 };
      const node = {
        id: `x${index}`,
        state: "ready",
        ...size,
        cpuUsedCores: 0.08,
        memoryUsedBytes: 2 ** 28,
        history,
        maintenance: null,
        labels: { [LABEL]: "true" },
      } as const;
      if (kind === "empty") return node;
      if (kind === "closing") return { ...node, power: kind };
      const silent = { state: "unknown", cpuUsedCores: null, memoryUsedBytes: null, history: [], cordoned: true } as const;
      return { ...node, ...(kind === "falling-asleep" ? { cordoned: true } : silent), power: kind as NodeState["power"] & string };
    });
    const migrations = isCalm ? [] : snapshot.migrations;
    // Known, rested, free to go and not large: there is something to empty.
    const free = (workload: WorkloadState, index: number): WorkloadState => ({
      ...workload,
      cpuPast: { at: NOW, seconds: 5000 * (index % 4), mean: 0.1 + 0.1 * (index % 3), variance: (0.1 * (index % 5)) ** 2 },
      cpuUsedCores: Math.min(0.3, workload.cpuUsedCores ?? 0.1),
      memoryUsedBytes: Math.min(2 ** 28, workload.memoryUsedBytes ?? 2 ** 28),
      cpuLimitCores: 0.5,
      constraints: {
        ...workload.constraints,
        mode: "auto",
        affinityGroup: null,
        antiAffinityGroup: null,
        zoneSpreadGroup: null,
        pinnedTo: [],
      },
      architecture: null,
      lastMovedAt: null,
    });
    const workloads = isCalm ? snapshot.workloads.map(free) : snapshot.workloads;
    return {
      ...snapshot,
      migrations,
      workloads,
      nodes: [...nodes, ...added],
      powerSaving: window === null ? null : { active: window, endsAt: window ? NOW + 9000 : null },
    };
  });
const powered = (config: PolicyConfig, enabled = true): PolicyConfig => ({
  ...config,
  consolidate: { ...completeConfig(config).consolidate, enabled, fillDeviations: 0.5, wattHoursPerMove: 1 },
});

function forAnyPlan(check: (snapshot: Snapshot, plan: Plan, config: PolicyConfig) => void): void {
  const property = fc.property(anyPowered, anyConfig, (snapshot, given) => {
    const config = powered(withoutLimits(given));
    check(snapshot, decide(snapshot, config, NOW), config);
  });
  fc.assert(property, RUNS);
}

describe("any plan that saves power", () => {
  it("puts only nodes to sleep that are known, labelled, empty, and that nothing is on its way to", () => {
    let slept = 0;
    forAnyPlan((snapshot, plan) => {
      for (const { node: id } of plan.power.filter(({ to }) => to === "sleep")) {
        slept++;
        const node = snapshot.nodes.find((each) => each.id === id)!;
        expect(node).to.include({ state: "ready", maintenance: null });
        expect(node.power ?? "closing").to.equal("closing");
        expect(node.cpuUsedCores).to.not.equal(null);
        expect(node.labels[LABEL]).to.equal("true");
        expect(snapshot.workloads.filter(({ node: at }) => at === id)).to.deep.equal([]);
        expect([...snapshot.migrations, ...plan.moves].filter(({ from, to }) => from === id || to === id)).to.deep.equal([]);
      }
    });
    expect(slept, "the fleets are such that it happens").to.be.greaterThan(3);
  });

  it("keeps N+1: with its moves made and its nodes asleep, the loss of any node awake is borne", () => {
    let checked = 0;
    forAnyPlan((snapshot, plan, config) => {
      const emptied = plan.moves.filter(({ reason }) => reason === "consolidate").map(({ from }) => from);
      const slept = plan.power.filter(({ to }) => to === "sleep").map(({ node }) => node);
      if (emptied.length + slept.length === 0) return;
      checked++;
      const after = applyPlan(snapshot, plan);
      const fleet = indexFleet({ ...after, nodes: after.nodes.filter(({ id }) => !slept.includes(id)) });
      const complete = completeConfig(config);
      const awake = fleet.nodes.filter(
        ({ load, state }) =>
          load !== null &&
          !state.power &&
          state.maintenance === null &&
          !state.cordoned &&
          !state.executorSilent &&
          (state.health ?? []).length === 0,
      );
      expect(findUnbearableLoss({ fleet, config: complete, awake, placed: new Map(), growth: 0 })).to.equal(null);
    });
    expect(checked).to.be.greaterThan(3);
  });

  it("moves nothing from or to a node that sleeps, falls asleep, is about to, or wakes", () => {
    forAnyPlan((snapshot, plan) => {
      const away = new Set(snapshot.nodes.filter(({ power }) => power).map(({ id }) => id));
      for (const { from, to } of plan.moves) expect(away.has(from) || away.has(to)).to.equal(false);
    });
  });

  it("wakes only what sleeps, one at a time, and waits for it", () => {
    forAnyPlan((snapshot, plan) => {
      const isOpen = snapshot.powerSaving?.active ?? true;
      const woken = plan.power.filter(({ to }) => to === "wake").map(({ node }) => node);
      for (const id of woken) expect(snapshot.nodes.find((node) => node.id === id)?.power).to.equal("asleep");
      const isWaking = snapshot.nodes.some(({ power }) => power === "waking");
      if (isOpen) expect(woken.length).to.be.at.most(isWaking ? 0 : 1);
      else expect(woken).to.have.members(snapshot.nodes.filter(({ power }) => power === "asleep").map(({ id }) => id));
      if (!isOpen || isWaking) expect(plan.power.filter(({ to }) => to === "sleep")).to.deep.equal([]);
    });
  });

  it("fills no node beyond what is expected of its workloads with their swing, nor beyond what they use now", () => {
    let filled = 0;
    forAnyPlan((snapshot, plan, config) => {
      const { consolidate, overload } = completeConfig(config);
      const after = indexFleet(applyPlan(snapshot, plan));
      for (const to of new Set(plan.moves.filter(({ reason }) => reason === "consolidate").map((move) => move.to))) {
        const before = snapshot.nodes.find(({ id }) => id === to)!;
        const { workloads } = after.nodeById.get(to)!;
        const most = (each: WorkloadState) => each.cpuLimitCores ?? before.cpuCapacityCores;
        const forecasts = workloads.map((each) =>
          each.cpuUsedCores === null
            ? { mean: most(each), deviation: 0 }
            : forecastLoad(each.cpuPast ?? null, each.cpuUsedCores, most(each), consolidate.forecast),
        );
        const mean = forecasts.reduce((sum, each) => sum + each.mean, 0);
        const swing = consolidate.fillDeviations * Math.sqrt(forecasts.reduce((sum, { deviation }) => sum + deviation ** 2, 0));
        const bound = overload.enabled ? Math.min(consolidate.fillRatio, overload.cpuDetectRatio) : consolidate.fillRatio;
        filled++;
        expect(mean + swing).to.be.at.most(before.cpuCapacityCores * bound + 1e-9);
      }
    });
    expect(filled).to.be.greaterThan(3);
  });

  it("empties nodes as a whole", () => {
    let emptied = 0;
    forAnyPlan((snapshot, plan) => {
      for (const from of new Set(plan.moves.filter(({ reason }) => reason === "consolidate").map((move) => move.from))) {
        emptied++;
        const left = snapshot.workloads.filter(({ id, node }) => node === from && !plan.moves.some(({ workload }) => workload === id));
        const waiting = left.filter(({ id }) =>
          plan.skips.some(({ workload, reason }) => workload === id && reason === "disruption-budget"),
        );
        expect(left.length).to.equal(waiting.length);
      }
    });
    expect(emptied).to.be.greaterThan(3);
  });

  it("is followed by a plan that empties nothing more", () => {
    forAnyPlan((snapshot, plan, config) => {
      const next = decide(applyPlan(snapshot, plan), config, NOW);
      if (plan.moves.length > 0) expect(next.moves.filter(({ reason }) => reason === "consolidate")).to.deep.equal([]);
    });
  });

  it("switched off, puts nothing to sleep and wakes all that sleep", () => {
    fc.assert(
      fc.property(anyPowered, anyConfig, (snapshot, config) => {
        const plan = decide(snapshot, powered(config, false), NOW);
        const asleep = snapshot.nodes.filter(({ power }) => power === "asleep").map(({ id }) => `wake ${id}`);
        expect(plan.power.map(({ to, node }) => `${to} ${node}`)).to.have.members(asleep);
        expect(plan.moves.filter(({ reason }) => reason === "consolidate")).to.deep.equal([]);
      }),
      RUNS,
    );
  });
});
