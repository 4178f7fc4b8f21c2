import type { PolicyConfig } from "../../policies/config.js";
import { decide } from "../../policies/decide.js";
import type { Move, PowerChange, Snapshot } from "../../policies/types.js";
import { replayFleet } from "./replayed-fleet.js";
import type { TraceLine } from "./trace.js";

/** What a recording becomes when these settings decide. */
export interface Replay {
  readonly snapshots: number;
  readonly seconds: number;
  readonly moves: readonly (Move & { readonly at: number })[];
  /** Nodes put to sleep and woken. */
  readonly power: readonly (PowerChange & { readonly at: number })[];
  /** Seconds that nodes slept, summed over nodes. */
  readonly asleepSeconds: number;
  readonly movesByReason: Readonly<Record<string, number>>;
  /** Seconds that nodes spent above a detect bound, summed over nodes. */
  readonly overloadSeconds: number;
  /** The same if nothing had been moved since the beginning. */
  readonly overloadSecondsWithoutMoves: number;
  /** Moves for levelling of a workload within its cool-down. */
  readonly movedAgainInCooldown: number;
  /** Moves of a workload back to the node that it had left within the last hour. */
  readonly pingPongs: number;
}

const RETURN_SECONDS = 3600;
/** A gap in the recording is not counted as overload: nobody knows. */
const LONGEST_STEP_SECONDS = 300;
/** Reasons for which a workload is moved whether it rests or not. */
const EXEMPT: ReadonlySet<Move["reason"]> = new Set(["maintenance", "health", "operator"]);

/** Replays ticks with the code that decides, as mode `auto` would, with hold times and cool-downs kept from one to the next. */
export async function replay(lines: AsyncIterable<TraceLine>, configOf: (first: TraceLine) => PolicyConfig): Promise<Replay> {
  const moves: (Move & { at: number })[] = [];
  const power: (PowerChange & { at: number })[] = [];
  let running: { config: PolicyConfig; acting: ReturnType<typeof replayFleet>; still: ReturnType<typeof replayFleet> } | null = null;
  let previous: { at: number; acting: number; still: number; asleep: number } | null = null;
  let [snapshots, seconds, overloadSeconds, overloadSecondsWithoutMoves, asleepSeconds] = [0, 0, 0, 0, 0];

  for await (const line of lines) {
    if (running === null) {
      const config = configOf(line);
      running = { config, acting: replayFleet(config), still: replayFleet(config) };
    }
    const { config, acting, still } = running;
    const { at } = line.snapshot;
    snapshots++;
    const seen = acting.advance(line.snapshot);
    if (previous !== null) {
      const step = Math.min(at - previous.at, LONGEST_STEP_SECONDS);
      seconds += step;
      overloadSeconds += previous.acting * step;
      overloadSecondsWithoutMoves += previous.still * step;
      asleepSeconds += previous.asleep * step;
    }
    const asleep = seen.nodes.filter((node) => node.power === "asleep").length;
    previous = { at, acting: countHot(seen, config), still: countHot(still.advance(line.snapshot), config), asleep };
    const plan = decide(seen, config, at);
    acting.begin(plan, at);
    moves.push(...plan.moves.map((move) => ({ ...move, at })));
    power.push(...plan.power.map((change) => ({ ...change, at })));
  }
  const cooldownSeconds = running?.config.cooldownSeconds ?? 0;
  const movesByReason: Record<string, number> = {};
  for (const { reason } of moves) movesByReason[reason] = (movesByReason[reason] ?? 0) + 1;
  const counted = { movedAgainInCooldown: countAgain(moves, cooldownSeconds), pingPongs: countReturns(moves) };
  return { snapshots, seconds, moves, power, asleepSeconds, movesByReason, overloadSeconds, overloadSecondsWithoutMoves, ...counted };
}

/** By the readings themselves, not by the smoothed ones that decisions see. */
function countHot({ nodes }: Snapshot, { overload }: PolicyConfig): number {
  return nodes.filter(({ history }) => {
    const { cpuRatio = null, memoryRatio = null } = history.at(-1) ?? {};
    return (cpuRatio ?? 0) > overload.cpuDetectRatio || (memoryRatio ?? 0) > overload.memoryDetectRatio;
  }).length;
}

function countAgain(moves: readonly (Move & { at: number })[], cooldownSeconds: number): number {
  const lastAt = new Map<string, number>();
  let count = 0;
  for (const { workload, at, reason } of moves) {
    if (!EXEMPT.has(reason) && at - (lastAt.get(workload) ?? Number.NEGATIVE_INFINITY) < cooldownSeconds) count++;
    lastAt.set(workload, at);
  }
  return count;
}

function countReturns(moves: readonly (Move & { at: number })[]): number {
  return moves.filter((move, index) =>
    moves.slice(0, index).some(({ workload, from, at }) => workload === move.workload && from === move.to && move.at - at < RETURN_SECONDS),
  ).length;
}
