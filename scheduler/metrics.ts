import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { nowSeconds } from "../platform/clock.js";
import { imbalance } from "../policies/imbalance.js";
import { isAway } from "../policies/power.js";
import type { Plan, Verdict } from "../policies/types.js";
import type { FleetPicture } from "./fleet/build-snapshot.js";
import type { DrainReport } from "./fleet/drain-report.js";

const STATES: readonly Verdict["verdict"][] = [
  "level",
  "warming",
  "overloaded",
  "draining",
  "drained",
  "suspect",
  "asleep",
  "waking",
  "unknown",
];
const TICK_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export interface SchedulerMetrics {
  /** Whom to ask, at each scrape, whether this scheduler leads and does what a leader does. */
  followLeadership(leads: () => boolean): void;
  showTerm(term: number): void;
  /** Replaces every per-node series, so a node that has gone leaves none behind. */
  showFleet(picture: FleetPicture, plan: Plan | null, drains: () => readonly DrainReport[]): void;
  /** Counts what this plan wants that the one before it did not. */
  countPlan(plan: Plan, before: Plan | null): void;
  startTick(): () => void;
  countReloadFailure(): void;
  /** Schedulers that are there, this one among them, by whether they decide by this one's settings. */
  showSchedulers(counts: { readonly same: number; readonly other: number }): void;
}

interface Shown {
  readonly picture: FleetPicture;
  readonly plan: Plan | null;
  readonly drains: () => readonly DrainReport[];
}

/** The scheduler's series on this registry; docs/metrics.md explains them. */
export function makeSchedulerMetrics(registry: Registry): SchedulerMetrics {
  const registers = [registry];
  const gauge = <T extends string>(name: string, help: string, labelNames: readonly T[] = []) =>
    new Gauge<T>({ name, help, labelNames: [...labelNames], registers });
  let shown: Shown | null = null;
  /** Filled when it is asked for: a fleet has many nodes, and is scraped less often than it is looked at. */
  const gaugeOfNodes = <T extends string>(
    name: string,
    help: string,
    labelNames: readonly T[],
    fill: (gauge: Gauge<T>, shown: Shown) => void,
  ) =>
    new Gauge<T>({
      name,
      help,
      labelNames: [...labelNames],
      registers,
      collect() {
        this.reset();
        if (shown !== null) fill(this, shown);
      },
    });
  let leads = () => false;
  // Asked for and not noted: a tick that fails or hangs could no longer say that it is over.
  new Gauge({
    name: "evenkeel_leader",
    help: "1 on the scheduler that leads and has ticked lately, else 0",
    registers,
    collect() {
      this.set(leads() ? 1 : 0);
    },
  });
  const leaderTerm = gauge("evenkeel_leader_term", "Term of the present leader, as this scheduler knows it");
  gaugeOfNodes("evenkeel_node_sample_age_seconds", "Since the node's newest sample", ["node"], (series, { picture: { reading } }) => {
    // By the clock and not by the reading: while Redis is away that stands still.
    for (const { id, lastSeenAt } of reading.nodes) series.set({ node: id }, Math.max(0, nowSeconds() - lastSeenAt));
  });
  const stateHelp = "1 for the state the node is in, 0 for the others";
  gaugeOfNodes("evenkeel_node_state", stateHelp, ["node", "state"], (series, { picture: { snapshot }, plan }) => {
    const verdicts = new Map(plan?.verdicts.map(({ node, verdict }) => [node, verdict]));
    for (const node of snapshot.nodes) {
      const present = node.state === "unknown" && !isAway(node) ? "unknown" : verdicts.get(node.id);
      for (const state of STATES) series.set({ node: node.id, state }, state === present ? 1 : 0);
    }
  });
  const imbalanceRatio = gauge("evenkeel_imbalance_ratio", "Standard deviation of the known nodes' CPU ratio");
  const paused = gauge("evenkeel_paused", "1 while the fleet is paused: nothing is moved but what operators ask for, else 0");
  const migrationsOpen = gauge("evenkeel_migrations_open", "Migrations that are not closed");
  gaugeOfNodes(
    "evenkeel_node_maintenance",
    "1 while the node is under maintenance, else 0",
    ["node"],
    (series, { picture: { snapshot } }) => {
      for (const node of snapshot.nodes) series.set({ node: node.id }, node.maintenance === null ? 0 : 1);
    },
  );
  gaugeOfNodes("evenkeel_node_cordoned", "1 while the node is cordoned for itself, else 0", ["node"], (series, { picture }) => {
    for (const { id } of picture.snapshot.nodes) series.set({ node: id }, picture.cordons.has(id) ? 1 : 0);
  });
  gaugeOfNodes(
    "evenkeel_drain_remaining_workloads",
    "Workloads left on a node under maintenance; none for one that is silent",
    ["node"],
    (series, { drains }) => {
      for (const { node, state, remaining } of drains()) if (state !== "unknown") series.set({ node }, remaining.length);
    },
  );
  const moves = new Counter({ name: "evenkeel_moves_planned_total", help: "Moves newly planned", labelNames: ["reason"], registers });
  const skips = new Counter({ name: "evenkeel_skips_total", help: "Candidates newly not moved", labelNames: ["reason"], registers });
  const reloadFailures = new Counter({
    name: "evenkeel_config_reload_failures_total",
    help: "Changed configurations that were refused; the old settings stay in force",
    registers,
  });
  const schedulers = gauge("evenkeel_schedulers", "Schedulers heard lately, by whether they decide by the same settings as this one", [
    "settings",
  ]);
  const tickSeconds = new Histogram({
    name: "evenkeel_tick_duration_seconds",
    help: "From reading the fleet to the last job delivered",
    buckets: TICK_BUCKETS_SECONDS,
    registers,
  });
  return {
    followLeadership: (ask) => {
      leads = ask;
    },
    showTerm: (term) => leaderTerm.set(term),
    showFleet: (picture, plan, drains) => {
      shown = { picture, plan, drains };
      imbalanceRatio.set(imbalance(picture.snapshot) ?? Number.NaN);
      paused.set(picture.pause === null ? 0 : 1);
      migrationsOpen.set(picture.reading.openMigrations.length);
    },
    countPlan: (plan, before) => {
      const moveKey = ({ workload, to, reason }: Plan["moves"][number]) => `${workload} ${to} ${reason}`;
      const skipKey = ({ workload, to, reason }: Plan["skips"][number]) => `${workload} ${to} ${reason}`;
      const oldMoves = new Set(before?.moves.map(moveKey));
      const oldSkips = new Set(before?.skips.map(skipKey));
      for (const move of plan.moves) if (!oldMoves.has(moveKey(move))) moves.inc({ reason: move.reason });
      for (const skip of plan.skips) if (!oldSkips.has(skipKey(skip))) skips.inc({ reason: skip.reason });
    },
    startTick: () => {
      const stop = tickSeconds.startTimer();
      return () => void stop();
    },
    countReloadFailure: () => reloadFailures.inc(),
    showSchedulers: ({ same, other }) => {
      schedulers.set({ settings: "same" }, same);
      schedulers.set({ settings: "other" }, other);
    },
  };
}
