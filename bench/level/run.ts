import { setTimeout as delay } from "node:timers/promises";
import { nodeSampleSchema } from "../../collector/protocol.js";
import { type Fleet, startFleet } from "../../lab/fleet/fleet.js";
import { listMigrations } from "../../platform/migration-record.js";
import { countMovedAgain } from "./count-moves.js";
import { DAY_SECONDS, LEVEL_NODES, LEVEL_POLICIES, loadedWorkloads } from "./load-shapes.js";
import { makeOverloadMeter } from "./overload-meter.js";

export interface LevelRun {
  readonly mode: "auto" | "observe";
  readonly seconds: number;
  /** Seconds that nodes spent above the bound of overload, summed over nodes. */
  readonly overloadSeconds: number;
  readonly overloadSecondsByNode: Readonly<Record<string, number>>;
  /** The same, summed over nodes, for each day of the load. */
  readonly overloadSecondsByDay: readonly number[];
  readonly meanCpuRatioByNode: Readonly<Record<string, number>>;
  readonly moves: readonly {
    readonly workload: string;
    readonly from: string;
    readonly to: string;
    readonly atSeconds: number;
    readonly result: string | null;
    readonly blackoutSeconds: number | null;
  }[];
  /** Must be 0. */
  readonly movedAgainInCooldown: number;
  readonly wrongAnswers: number;
  readonly resets: number;
  readonly leftovers: readonly string[];
}

const ORDER_MILLISECONDS = 1000;
const SAMPLE_MILLISECONDS = 250;

/** The whole load once, on a fleet of its own. */
export async function runLevel(mode: LevelRun["mode"], seconds: number, tell: (line: string) => void): Promise<LevelRun> {
  const fleet = await startFleet({ name: `level-${mode}`, nodes: LEVEL_NODES, policies: LEVEL_POLICIES, mode, withPrometheus: false });
  let result: Omit<LevelRun, "leftovers"> | null = null;
  let leftovers: string[] = [];
  try {
    result = await measure(fleet, mode, seconds, tell);
  } finally {
    leftovers = await fleet.close();
  }
  return { ...result, leftovers };
}

async function measure(fleet: Fleet, mode: LevelRun["mode"], seconds: number, tell: (line: string) => void) {
  const loaded = loadedWorkloads();
  for (const { workload, node } of loaded) await fleet.runWorkload(workload, node);
  const clients = await fleet.startClients(loaded.map(({ workload }) => workload));
  tell(`${mode}: ${seconds} s of load begin`);
  const begun = performance.now();
  const elapsed = () => (performance.now() - begun) / 1000;
  const begunAt = Date.now() / 1000;
  const told = new Map<string, number>();
  const busy = new Set<string>();
  const order = () => {
    for (const { workload, percentAt } of loaded) {
      const percent = percentAt(elapsed());
      // A workload that is being moved takes its order when it answers again.
      if (told.get(workload.name) === percent || busy.has(workload.name)) continue;
      busy.add(workload.name);
      clients
        .burn(workload.name, percent)
        .then(() => void told.set(workload.name, percent))
        .catch((error: unknown) => tell(`${workload.name}: ${String(error)}`))
        .finally(() => busy.delete(workload.name));
    }
  };
  order();
  const ordering = setInterval(order, ORDER_MILLISECONDS);
  const meter = makeOverloadMeter(LEVEL_POLICIES.overload.cpuDetectRatio, begunAt, DAY_SECONDS);
  while (elapsed() < seconds) {
    for (const { name } of fleet.lab.nodes) {
      const text = await fleet.redis.get(fleet.keys.nodeSample(name));
      const sample = text === null ? undefined : nodeSampleSchema.safeParse(JSON.parse(text)).data;
      if (sample?.cpuUsedCores != null) meter.add(name, sample.at, sample.cpuUsedCores / sample.cpuCapacityCores);
    }
    await delay(SAMPLE_MILLISECONDS);
  }
  clearInterval(ordering);
  const records = (await listMigrations(fleet.redis, fleet.keys)).reverse();
  const report = await clients.report();
  const sum = (read: (client: (typeof report.clients)[number]) => number) =>
    report.clients.reduce((total, client) => total + read(client), 0);
  return {
    mode,
    seconds,
    ...meter.read(),
    moves: records.map(({ workload, name, from, to, createdAt, result, blackoutSeconds }) => ({
      workload: name || workload,
      from,
      to,
      atSeconds: Math.round(createdAt - begunAt),
      result,
      blackoutSeconds,
    })),
    movedAgainInCooldown: countMovedAgain(records, LEVEL_POLICIES.cooldownSeconds),
    wrongAnswers: sum((client) => client.wrongAnswers),
    resets: sum((client) => client.resets),
  };
}
