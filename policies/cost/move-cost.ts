import type { NodeView } from "../fleet.js";
import { type AskedMode, chooseMode, forecastMode, type ModeFacts, type ModeForecast } from "../modes/choose-mode.js";
import type { Use } from "../need.js";
import type { MigrationMode, ModeOutlook, MoveCost, WorkloadState } from "../types.js";
import type { CostConfig } from "./config.js";

/** A workload that has grown or shrunk by more than this since its last moves is not told by them. */
const MOST_GROWTH = 4;
const ONLY_WAY_OUT = "it is only taken where nothing but CRIU stands in the way";

/**
 * What a move will take, in the mode that its label would get. Pessimistic where nothing is known of its memory: without a measured dirty rate nobody tracks it, and
 * all memory is sent in the freeze. Where the workload's own moves have told how long it stands still, and how many bytes it takes, that counts instead.
 */
export function estimateMoveCost(workload: WorkloadState, need: Use, source: NodeView, target: NodeView, config: CostConfig): MoveCost {
  return estimateAt(rateBetween(source, target, config), workload, need, source, config);
}

/** The same for one target after another: of a target only its link counts, so that a cost is reckoned once for each rate and not for each node. */
export function estimateMoveCosts(
  workload: WorkloadState,
  need: Use,
  source: NodeView,
  config: CostConfig,
): (target: NodeView) => MoveCost {
  const known = new Map<number, MoveCost>();
  return (target) => {
    const rate = rateBetween(source, target, config);
    const cost = known.get(rate) ?? estimateAt(rate, workload, need, source, config);
    known.set(rate, cost);
    return cost;
  };
}

function estimateAt(bytesPerSecond: number, workload: WorkloadState, need: Use, source: NodeView, config: CostConfig): MoveCost {
  const facts = factsOf(bytesPerSecond, workload, need, source, config);
  const choice = chooseMode(askedOf(workload, source), facts);
  const isCold = choice.mode === "cold";
  const growth = growthSince(workload, choice.mode, need.memoryBytes);
  const past = growth === null ? null : workload.past!;
  const bytes = past === null ? choice.runningBytes + choice.frozenBytes : past.fileBytes + (isCold ? 0 : past.memoryBytes * growth!);
  const fixedSeconds = facts.fixedSeconds + (isCold ? facts.stopSeconds : 0);
  return {
    mode: choice.mode,
    bytes,
    fileBytes: fileBytesOf(workload),
    seconds: fixedSeconds + bytes / bytesPerSecond,
    blackoutSeconds: blackoutOf(choice, workload, growth),
    dirtyBytesPerSecond: facts.dirtyBytesPerSecond,
    learnedFromMoves: past?.count ?? 0,
  };
}

/** How long it would stand still in each mode that its label allows. */
export function foretellModes(workload: WorkloadState, need: Use, source: NodeView, target: NodeView, config: CostConfig): ModeOutlook[] {
  const facts = factsOf(rateBetween(source, target, config), workload, need, source, config);
  const { forecasts } = chooseMode(askedOf(workload, source), facts);
  const isWayOut = workload.constraints.mayGoCold === true && forecasts.every(({ mode }) => mode !== "cold");
  return (isWayOut ? [...forecasts, { ...forecastMode("cold", facts), whyNot: ONLY_WAY_OUT }] : forecasts).map((forecast) => ({
    mode: forecast.mode,
    blackoutSeconds: blackoutOf(forecast, workload, growthSince(workload, forecast.mode, need.memoryBytes)),
    whyNot: forecast.whyNot,
  }));
}

function factsOf(bytesPerSecond: number, workload: WorkloadState, need: Use, source: NodeView, config: CostConfig): ModeFacts {
  const { past } = workload;
  const dirtyBytesPerSecond = workload.dirtyBytesPerSecond ?? past?.dirtyBytesPerSecond ?? null;
  const whyNoPrecopy = source.state.whyNoPrecopy ?? (dirtyBytesPerSecond === null ? "changes of its memory are not measured" : undefined);
  const frozenFileBytes = past?.frozenFileBytes ?? 0;
  return {
    memoryBytes: need.memoryBytes,
    fileBytes: Math.max(0, (fileBytesOf(workload) ?? 0) - frozenFileBytes),
    frozenFileBytes,
    dirtyBytesPerSecond,
    bytesPerSecond,
    fixedSeconds: config.fixedBlackoutSeconds,
    stopSeconds: past?.stopSeconds ?? config.stopSeconds,
    whyNot: whyNoPrecopy === undefined ? {} : { precopy: whyNoPrecopy },
  };
}

/** What its label asks for. As the executor does: a pre-copy that cannot be had gives way. */
function askedOf({ constraints: { mode } }: WorkloadState, source: NodeView): AskedMode {
  return mode === "never" || (mode === "precopy" && source.state.whyNoPrecopy !== undefined) ? "auto" : mode;
}

function fileBytesOf({ fileBytes, past }: WorkloadState): number | null {
  return fileBytes ?? past?.fileBytes ?? null;
}

/** As long as it stood still in that mode before, more for what it has grown since; what the mode is expected to take, where it was never moved so. */
function blackoutOf({ mode, blackoutSeconds }: ModeForecast, { past }: WorkloadState, growth: number | null): number {
  const seen = past?.blackoutSecondsIn?.[mode];
  return seen === undefined || growth === null ? blackoutSeconds : seen * growth;
}

/** How much more memory it has now than it sent then; null when its past does not tell. */
function growthSince({ past }: WorkloadState, mode: MigrationMode, memoryBytes: number): number | null {
  if (!past) return null;
  // Its memory stays behind.
  if (mode === "cold") return 1;
  if (past.memoryBytes <= 0) return null;
  const growth = memoryBytes / past.memoryBytes;
  if (growth > MOST_GROWTH) return null;
  // What is sent again, or not sent because it is zero, makes the ratio; only growth makes a move longer.
  return Math.max(1, growth);
}

function rateBetween(source: NodeView, target: NodeView, config: CostConfig): number {
  return Math.min(linkRate(source, config), linkRate(target, config));
}

function linkRate(node: NodeView, config: CostConfig): number {
  return node.state.linkBytesPerSecond || config.linkBytesPerSecond;
}
