import type { PolicyConfig } from "../../policies/config.js";
import { completeConfig } from "../../policies/config.js";
import {
  type ClosedMigration,
  DEFAULT_SAMPLE_TTL_SECONDS,
  type Move,
  type NodePoint,
  type NodeState,
  type Plan,
  type Snapshot,
  type WorkloadState,
} from "../../policies/types.js";
import { usualIdle } from "../../policies/what-if/awake.js";
import { smoothRatio } from "../fleet/smooth.js";
import { rememberPower } from "./replayed-power.js";

const DAY_SECONDS = 86_400;
const HISTORY_LIMIT = 720;
const RECENT_MIGRATIONS = 50;
/** As the scheduler smooths its readings: a third of the hold time. */
const SMOOTHING_PER_HOLD = 1 / 3;

interface Made {
  readonly move: Move;
  readonly begunAt: number;
  readonly endsAt: number;
}

/**
 * A fleet as it would have been if the moves made here, and no others, had been made. What the workloads asked for, what else their nodes were busy
 * with, flags, windows and silences are the recording's; where workloads are, and thus how loaded nodes are, and which of them sleep, is the replay's own.
 */
export interface ReplayedFleet {
  /** Lets time pass to the recorded moment. @returns what the policies see then. */
  advance(recorded: Snapshot): Snapshot;
  /** Begins what is planned; each move ends when its expected time is over, at the next moment of the recording at the earliest. */
  begin(plan: Pick<Plan, "moves" | "power">, at: number): void;
}

export function replayFleet(config: PolicyConfig): ReplayedFleet {
  const places = new Map<string, string>();
  const histories = new Map<string, readonly NodePoint[]>();
  const done = new Map<string, Made[]>();
  const closed: ClosedMigration[] = [];
  const power = rememberPower(completeConfig(config).consolidate.leadSeconds);
  let open: Made[] = [];
  let levelledAt: number | null = null;
  let previousAt: number | null = null;
  let shortestStepSeconds = Number.POSITIVE_INFINITY;
  const smoothingSeconds = config.overload.holdSeconds * SMOOTHING_PER_HOLD;

  const end = (at: number) => {
    for (const made of open.filter(({ endsAt }) => endsAt <= at)) {
      const { workload, to } = made.move;
      if (!places.has(workload)) continue;
      places.set(workload, to);
      done.set(workload, [...(done.get(workload) ?? []), made].slice(-RECENT_MIGRATIONS));
      if (made.move.reason === "balance") levelledAt = made.endsAt;
      closed.push({ closedAt: made.endsAt, blackoutSeconds: made.move.cost?.blackoutSeconds ?? null, succeeded: true });
    }
    closed.splice(0, closed.length - RECENT_MIGRATIONS);
    open = open.filter(({ endsAt, move }) => endsAt > at && places.has(move.workload));
  };
  const settle = ({ workloads, nodes }: Snapshot) => {
    const present = new Set(workloads.map(({ id }) => id));
    const known = new Set(nodes.map(({ id }) => id));
    for (const id of places.keys()) if (!present.has(id)) places.delete(id);
    // A node that has left the fleet holds nothing: what it held is where the recording says.
    for (const { id, node } of workloads) if (!known.has(places.get(id) ?? "")) places.set(id, node);
  };
  const placeOf = (workload: WorkloadState): WorkloadState => {
    const moves = done.get(workload.id) ?? [];
    const last = moves.at(-1);
    return {
      ...workload,
      node: places.get(workload.id)!,
      lastMovedAt: last?.endsAt ?? null,
      lastMovedFrom: last?.move.from ?? null,
      recentMoves: moves.map(({ endsAt }) => endsAt),
    };
  };
  const measure = (node: NodeState, at: number, change: Use): NodeState => {
    if (node.state === "unknown") {
      histories.delete(node.id);
      return node;
    }
    const past = histories.get(node.id) ?? node.history.slice(0, -1);
    const now = node.history.at(-1);
    const shift = (ratio: number | null | undefined, by: number) =>
      ratio === null || ratio === undefined ? null : Math.min(1, Math.max(0, ratio + by));
    const point: NodePoint = {
      at,
      cpuRatio: shift(now?.cpuRatio, change.cpuCores / node.cpuCapacityCores),
      memoryRatio: shift(now?.memoryRatio, change.memoryBytes / node.memoryCapacityBytes),
    };
    const history = [...past.filter((earlier) => earlier.at < at && earlier.at > at - DAY_SECONDS), point].slice(-HISTORY_LIMIT);
    histories.set(node.id, history);
    const smooth = (resource: "cpuRatio" | "memoryRatio", capacity: number) => {
      if (point[resource] === null) return null;
      return (smoothRatio(history, resource, smoothingSeconds) ?? point[resource]) * capacity;
    };
    const { cpuCapacityCores, memoryCapacityBytes } = node;
    const used = { cpuUsedCores: smooth("cpuRatio", cpuCapacityCores), memoryUsedBytes: smooth("memoryRatio", memoryCapacityBytes) };
    return { ...node, history, ...used };
  };

  return {
    advance: (recorded) => {
      const { at } = recorded;
      if (previousAt !== null) shortestStepSeconds = Math.min(shortestStepSeconds, at - previousAt);
      previousAt = at;
      settle(recorded);
      end(at);
      const workloads = recorded.workloads.map(placeOf);
      const changes = changesOf(recorded.workloads, workloads);
      const used = new Set([...workloads.map(({ node }) => node), ...open.map(({ move }) => move.to)]);
      const idle = usualIdle(recorded);
      const nodes = recorded.nodes.map((node) =>
        measure(power.see(node, at, used.has(node.id), idle), at, changes.get(node.id) ?? { cpuCores: 0, memoryBytes: 0 }),
      );
      const migrations = open.map(({ move: { workload, from, to }, begunAt }) => ({ id: `${workload} ${begunAt}`, workload, from, to }));
      const lastLevelledAt = open.some(({ move }) => move.reason === "balance") ? at : levelledAt;
      // Its readings are as far apart as the recording's, whatever the collectors' were.
      const stepSeconds = Number.isFinite(shortestStepSeconds) ? shortestStepSeconds : 0;
      const sampleTtlSeconds = Math.max(recorded.sampleTtlSeconds ?? DEFAULT_SAMPLE_TTL_SECONDS, 2 * stepSeconds);
      const recent = { recentMigrations: [...closed], levelledAt: lastLevelledAt };
      return { ...recorded, onlyAsked: false, nodes, workloads, migrations, sampleTtlSeconds, ...recent };
    },
    begin: ({ moves, power: changes }, at) => {
      power.tell(changes, at);
      open.push(...moves.map((move) => ({ move, begunAt: at, endsAt: at + Math.max(move.cost?.seconds ?? 0, Number.MIN_VALUE) })));
    },
  };
}

interface Use {
  cpuCores: number;
  memoryBytes: number;
}

/** How much more or less each node bears in the replay than it bore in the recording. */
function changesOf(recorded: readonly WorkloadState[], replayed: readonly WorkloadState[]): Map<string, Use> {
  const changes = new Map<string, Use>();
  const add = (node: string, { cpuUsedCores, memoryUsedBytes }: WorkloadState, sign: 1 | -1) => {
    const sum = changes.get(node) ?? { cpuCores: 0, memoryBytes: 0 };
    sum.cpuCores += sign * (cpuUsedCores ?? 0);
    sum.memoryBytes += sign * (memoryUsedBytes ?? 0);
    changes.set(node, sum);
  };
  for (const [index, workload] of recorded.entries()) {
    const { node } = replayed[index]!;
    if (node === workload.node) continue;
    add(workload.node, workload, -1);
    add(node, workload, 1);
  }
  return changes;
}
