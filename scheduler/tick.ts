import { EventEmitter } from "node:events";
import { performance } from "node:perf_hooks";
import { asEvenkeelError } from "../platform/errors.js";
import type { Turns } from "./act/turns.js";
import { recordAudit } from "./audit.js";
import type { FleetPicture } from "./fleet/build-snapshot.js";
import { reportDrains } from "./fleet/drain-report.js";
import type { FleetView } from "./fleet/fleet-view.js";
import { type Leadership, readLeader } from "./lease.js";
import type { SchedulerMetrics } from "./metrics.js";
import { describeChanges } from "./note-changes.js";
import { type ActingParts, planAndAct } from "./plan-and-act.js";
import { type PublishedPlan, readPlan } from "./plan-store.js";

export interface TickParts extends ActingParts {
  readonly inTurn: Turns;
  readonly leadership: Leadership;
  readonly view: FleetView;
  readonly metrics: SchedulerMetrics;
  readonly tickSeconds: number;
}

export interface Ticker {
  /** Ticks soon rather than at the end of the interval: something has changed. */
  wake(): void;
  /** Epoch milliseconds of the end of the newest tick that went well; null before the first. */
  lastTickAt(): number | null;
  onTick(listener: () => void): () => void;
  close(): Promise<void>;
}

/** Between two ticks at least this long, whatever happens meanwhile: many moves that end together are one piece of news. */
const WAKE_GAP_MILLISECONDS = 100;

/** Looks, decides and acts every `tickSeconds`, each time after the last has ended. Only the leader decides and acts. */
export function startTicking(parts: TickParts): Ticker {
  const { log, tickSeconds } = parts;
  const emitter = new EventEmitter().setMaxListeners(0);
  const look = makeLook(parts);
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | null = null;
  let wakeAgain = false;
  let closed = false;
  let lastTickAt: number | null = null;
  let failing = false;

  const run = () => {
    clearTimeout(timer);
    wakeAgain = false;
    running = parts
      .inTurn(look)
      .then(
        () => {
          if (failing) log.info("ticks again");
          failing = false;
          lastTickAt = Date.now();
          emitter.emit("tick");
        },
        (error: unknown) => {
          const { code } = asEvenkeelError(error);
          if (code === "FENCED") log.info("another leader has taken over");
          else if (!failing) log.error({ err: error }, "tick failed");
          failing = code !== "FENCED";
        },
      )
      .finally(() => {
        running = null;
        if (closed) return;
        timer = setTimeout(run, wakeAgain ? WAKE_GAP_MILLISECONDS : tickSeconds * 1000);
      });
  };
  run();

  return {
    wake: () => {
      if (closed) return;
      if (running !== null) wakeAgain = true;
      else run();
    },
    lastTickAt: () => lastTickAt,
    onTick: (listener) => {
      emitter.on("tick", listener);
      return () => void emitter.off("tick", listener);
    },
    close: async () => {
      closed = true;
      clearTimeout(timer);
      await running;
    },
  };
}

function makeLook(parts: TickParts): () => Promise<void> {
  const { redis, keys, leadership, view, metrics, policies } = parts;
  let before: { term: number; plan: PublishedPlan | null; conflicts: ReadonlySet<string> } | null = null;

  return async () => {
    const stopTimer = metrics.startTick();
    const stopwatch = startStopwatch();
    const term = leadership.term();
    const picture = await view.picture(0);
    stopwatch.readDone();
    if (term === null) {
      before = null;
      const [plan, leader] = await Promise.all([readPlan(redis, keys), readLeader(redis, keys)]);
      show(picture, plan, { isLeader: false, term: leader.term });
      return;
    }
    // A new leader goes on from its predecessor's plan, so that nothing is counted or noted twice.
    if (before?.term !== term) before = { term, plan: await readPlan(redis, keys), conflicts: new Set() };
    const { published: plan, decideSeconds } = await planAndAct(parts, picture, term);
    metrics.countPlan(plan, before.plan);
    const { entries, conflicts } = describeChanges(picture, plan, before);
    before = { term, plan, conflicts };
    for (const entry of entries) await recordAudit(redis, keys, entry, term);
    show(picture, plan, { isLeader: true, term });
    stopTimer();
    const unknown = picture.snapshot.nodes.filter(({ state }) => state === "unknown").length;
    parts.log.debug({ tick: { ...stopwatch.read(), decideSeconds, unknown } }, "ticked");
  };

  function show(picture: FleetPicture, plan: PublishedPlan | null, leader: { isLeader: boolean; term: number }) {
    metrics.showLeader(leader.isLeader, leader.term);
    metrics.showFleet(picture, plan, () => reportDrains(picture, policies.current()));
  }
}

/** Where a tick's time went, and how much of it was this process's own work rather than waiting. */
function startStopwatch() {
  const begunMilliseconds = performance.now();
  const cpu = process.cpuUsage();
  let readSeconds = 0;
  const elapsed = () => (performance.now() - begunMilliseconds) / 1000;
  return {
    readDone: () => {
      readSeconds = elapsed();
    },
    read: () => {
      const { user, system } = process.cpuUsage(cpu);
      return { seconds: elapsed(), readSeconds, cpuSeconds: (user + system) / 1e6 };
    },
  };
}
