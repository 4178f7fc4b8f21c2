import { blockersAmong, type Finding, finding } from "../../platform/findings.js";
import type { Needs, WorkloadDescription } from "../engine/engine.js";
import type { Surroundings } from "../migration/migration.js";
import { type Demand, readDemand } from "../migration/reserve.js";
import type { Offer, OfferAnswer } from "../peer/protocol.js";
import { abilityFindings } from "./compare-nodes.js";
import { mebibytes } from "./room.js";

export interface Preflight {
  readonly description: WorkloadDescription;
  readonly findings: readonly Finding[];
  readonly needs: Needs;
  readonly hasImage: boolean;
  /** Layers of it that the destination has of other images, from the lowest on. */
  readonly layersThere: number;
  readonly hasZstd: boolean;
  /** What its memory images may take. */
  readonly imageBytes: number;
  /** To be reserved on the destination. */
  readonly memoryBytes: number;
  /** Why memory cannot follow to the destination after a commit; null = it can. */
  readonly whyNotLazy: string | null;
  /** How much more its memory may come to there when each process gets for itself what they share since they were forked. */
  readonly forkedRoomBytes: number;
}

/** The move in question; a migration's record is one. */
export interface Wanted {
  /** Absent: it is only asked about, and nothing is booked. */
  readonly id?: string;
  readonly name: string;
  readonly containerId: string;
  readonly from: string;
  readonly to: string;
}

/**
 * Everything that is known to stand in the way of a move, from both ends, before anything is touched. `ask` puts the offer to the
 * destination. Findings come once each, blockers first.
 */
export async function preflight(
  surroundings: Surroundings,
  wanted: Wanted,
  ask: (offer: Offer) => Promise<OfferAnswer>,
): Promise<Preflight> {
  const { engine, probe } = surroundings;
  const description = await engine.describe(wanted.containerId);
  const [introduction, needs, own, demand] = await Promise.all([
    probe.introduce(),
    engine.needs(description),
    engine.findings(description),
    readDemand(surroundings, wanted),
  ]);
  const imageBytes = demand.imageBytes + needs.sharedMemoryBytes + needs.forkedBytes;
  const answer = await ask({ description, introduction, needs, memoryBytes: imageBytes });
  const room = await surroundings.room.claim(wanted.id ?? null, imageBytes);
  const { freeBytes, reservedBytes } = demand;
  const memoryBytes = demand.memoryBytes + needs.forkedBytes;
  if (memoryBytes > freeBytes - reservedBytes) {
    const held = reservedBytes > 0 ? `, ${mebibytes(reservedBytes)} of it for others` : "";
    const words = `${wanted.to} has ${mebibytes(freeBytes)} free${held}; ${wanted.name} needs ${mebibytes(memoryBytes)} while it moves`;
    room.push(finding("memory-short", words));
  }
  const { hasImage, layersHere: layersThere, hasZstd, whyNotLazy } = answer;
  const found = once([...abilityFindings(introduction.facts), ...own, ...room, ...answer.findings]);
  return {
    description,
    findings: found,
    needs,
    hasImage,
    layersThere,
    hasZstd,
    imageBytes,
    memoryBytes,
    whyNotLazy,
    forkedRoomBytes: forkedRoom(demand),
  };
}

/** Neither more than its container's limit bears, nor than what is reserved for the move, which is its size twice. */
function forkedRoom({ imageBytes, limitBytes }: Demand): number {
  return Math.max(0, Math.min(imageBytes, (limitBytes ?? Number.POSITIVE_INFINITY) - imageBytes));
}

/** Both ends may have noticed the same. */
function once(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>();
  const distinct = findings.filter(({ code, message }) => {
    const key = code.startsWith("differs-") || code === "runtime-missing" ? code : `${code} ${message}`;
    return !seen.has(key) && seen.add(key);
  });
  const blockers = blockersAmong(distinct);
  return [...blockers, ...distinct.filter((each) => !blockers.includes(each))];
}
