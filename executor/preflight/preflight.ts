import { blockersAmong, type Finding, finding } from "../../platform/findings.js";
import type { Needs, WorkloadDescription } from "../engine/engine.js";
import type { Surroundings } from "../migration/migration.js";
import { readDemand } from "../migration/reserve.js";
import type { Offer, OfferAnswer } from "../peer/protocol.js";
import { abilityFindings, protocolFindings } from "./compare-nodes.js";
import { beyondLimitFindings, type MemoryDemand, memoryDemand } from "./memory-demand.js";
import { mebibytes } from "./room.js";

export interface Preflight extends MemoryDemand {
  readonly description: WorkloadDescription;
  readonly findings: readonly Finding[];
  readonly needs: Needs;
  readonly hasImage: boolean;
  /** Layers of it that the destination has of other images, from the lowest on. */
  readonly layersThere: number;
  readonly hasZstd: boolean;
  /** Why memory cannot follow to the destination after a commit; null = it can. */
  readonly whyNotLazy: string | null;
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
  const { usedBytes, freeBytes, reservedBytes } = demand;
  const { imageBytes, memoryBytes, forkedRoomBytes } = memoryDemand(usedBytes, needs);
  const answer = await ask({ description, introduction, needs, memoryBytes: imageBytes });
  const room = await surroundings.room.claim(wanted.id ?? null, imageBytes);
  if (memoryBytes > freeBytes - reservedBytes) {
    const held = reservedBytes > 0 ? `, ${mebibytes(reservedBytes)} of it for others` : "";
    const words = `${wanted.to} has ${mebibytes(freeBytes)} free${held}; ${wanted.name} needs ${mebibytes(memoryBytes)} while it moves`;
    room.push(finding("memory-short", words));
  }
  const { hasImage, layersHere: layersThere, hasZstd, whyNotLazy } = answer;
  const apart = protocolFindings(introduction.facts, { node: wanted.to, protocol: answer.protocol });
  const found = once([
    ...abilityFindings(introduction.facts),
    ...apart,
    ...own,
    ...beyondLimitFindings(needs),
    ...room,
    ...answer.findings,
  ]);
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
    forkedRoomBytes,
  };
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
