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
import { readRoll, signRoll } from "./roll.js";

export interface TickParts extends ActingParts {
  readonly inTurn: Turns;
  readonly leadership: Leadership;
  readonly view: FleetView;
  readonly metrics: SchedulerMetrics;
  /** How this scheduler is called; its URL is null until its API answers. */
  readonly self: { readonly holder: string; url(): string | null };
  readonly tickSeconds: number;
}

export interface Ticker {
  /** Ticks soon rather than at the end of the interval: something has changed. */
  wake(): void;
  /** What is wrong when no tick has ended well for several intervals, or none yet; null = all is well. */
  trouble(): string | null;
  onTick(listener: () => void): () => void;
  close(): Promise<void>;
}

/** Between two ticks at least this long, whatever happens meanwhile: many moves that end together are one piece of news. */
const WAKE_GAP_MILLISECONDS = 100;

/** A scheduler that has not finished a tick for this many intervals is not well. */
const TICKS_MISSED = 6;

/** Looks, decides and acts every `tickSeconds`, each time after the last has ended. Only the leader decides and acts. */
export function startTicking(parts: TickParts): Ticker {
  const { log, tickSeconds } = parts;
  const emitter = new EventEmitter().setMaxListeners(0);
  const look = makeLook(parts);
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | null = null;
  let wakeAgain = false;
  let closed = false;
  let lastTickMilliseconds: number | null = null;
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
          lastTickMilliseconds = performance.now();
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
    trouble: () => {
      if (lastTickMilliseconds === null) return "no tick yet";
      const silentSeconds = (performance.now() - lastTickMilliseconds) / 1000;
      return silentSeconds > TICKS_MISSED * tickSeconds ? `no tick for ${Math.round(silentSeconds)} s` : null;
    },
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
  const callRoll = makeRollCall(parts);
  const { redis, keys, leadership, view, metrics, policies } = parts;
  let before: { term: number; plan: PublishedPlan | null; conflicts: ReadonlySet<string> } | null = null;

  return async () => {
    const stopTimer = metrics.startTick();
    const stopwatch = startStopwatch();
    const term = leadership.term();
    const picture = await view.picture(0);
    stopwatch.readDone();
    await callRoll();
    if (term === null) {
      before = null;
      const [plan, leader] = await Promise.all([readPlan(redis, keys), readLeader(redis, keys)]);
      show(picture, plan, leader.term);
      return;
    }
    // A new leader goes on from its predecessor's plan, so that nothing is counted or noted twice.
    if (before?.term !== term) before = { term, plan: await readPlan(redis, keys), conflicts: new Set() };
    const { published: plan, decideSeconds } = await planAndAct(parts, picture, term);
    metrics.countPlan(plan, before.plan);
    const { entries, conflicts } = describeChanges(picture, plan, before);
    before = { term, plan, conflicts };
    for (const entry of entries) await recordAudit(redis, keys, entry, term);
    show(picture, plan, term);
    stopTimer();
    const unknown = picture.snapshot.nodes.filter(({ state }) => state === "unknown").length;
    parts.log.debug({ tick: { ...stopwatch.read(), decideSeconds, unknown } }, "ticked");
  };

  function show(picture: FleetPicture, plan: PublishedPlan | null, term: number) {
    metrics.showTerm(term);
    metrics.showFleet(picture, plan, () => reportDrains(picture, policies.current()));
  }
}

/** Says that this scheduler is there, and looks whether all decide by the same settings: another that takes over must not surprise anybody. */
function makeRollCall({ redis, keys, policies, metrics, self, tickSeconds, log }: TickParts): () => Promise<void> {
  let known = "";
  return async () => {
    const url = self.url();
    if (url === null) return;
    const settings = policies.state().digest;
    await signRoll(redis, keys, { holder: self.holder, url, settings, everySeconds: tickSeconds });
    const roll = await readRoll(redis, keys);
    const others = roll.filter((entry) => entry.settings !== settings).map((entry) => entry.url);
    metrics.showSchedulers({ same: roll.length - others.length, other: others.length });
    if (others.join() !== known && others.length > 0)
      log.warn({ schedulers: others }, "schedulers that decide by other settings than this one");
    known = others.join();
  };
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
