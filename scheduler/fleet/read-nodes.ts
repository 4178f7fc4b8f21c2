import type { Redis } from "ioredis";
import type { NodeIdentity, NodeSample } from "../../collector/protocol.js";
import type { Keys } from "../../platform/keys.js";
import type { NodePoint } from "../../policies/types.js";
import { type ReadIdentity, type ReadSample, readIdentity, readSample, whyNotBelieved } from "./judge-sample.js";
import { type KnownHistory, readHistories } from "./read-histories.js";

export interface NodeReading {
  readonly id: string;
  /** Epoch seconds of the newest sample, as the collector said; kept when the sample has expired. */
  readonly lastSeenAt: number;
  /** Null when there is none that can be believed; `trouble` then says why. */
  readonly sample: NodeSample | null;
  readonly trouble: string | null;
  /** No sample of it has been believed by whoever reads here: nobody knows what it runs. Absent = one has. */
  readonly neverHeard?: true;
  readonly identity: NodeIdentity | null;
  /** Oldest first; not newer than the sample. */
  readonly history: readonly NodePoint[];
  /** The text in the maintenance hash; null = none. */
  readonly flag: string | null;
  /** The same in the hash of cordons. */
  readonly cordon: string | null;
}

/** What was read before, so that only what has changed is parsed. Nothing in it is ever taken for what Redis holds now. */
export interface NodeMemory {
  samples: Map<string, ReadSample>;
  identities: Map<string, ReadIdentity>;
  histories: Map<string, KnownHistory>;
  /** Nodes of which a sample has been believed. */
  heard: Set<string>;
  /** What they were read up to: another length needs them read anew. */
  historyLength: number;
}

export interface ReadNodesOptions {
  readonly at: number;
  readonly sampleTtlSeconds: number;
  readonly historyLength: number;
  readonly memory: NodeMemory;
}

const NODES_AT_ONCE = 50;

export function makeNodeMemory(): NodeMemory {
  return { samples: new Map(), identities: new Map(), histories: new Map(), heard: new Set(), historyLength: 0 };
}

/** Every node that Redis knows, in order of id. */
export async function readNodes(redis: Redis, keys: Keys, options: ReadNodesOptions): Promise<NodeReading[]> {
  const { at, sampleTtlSeconds, historyLength, memory } = options;
  const [seen, flags, cordons] = await Promise.all([
    redis.zrange(keys.nodes, 0, "-1", "WITHSCORES"),
    redis.hgetall(keys.maintenance),
    redis.hgetall(keys.cordons),
  ]);
  const lastSeen = new Map<string, number>();
  for (let index = 0; index + 1 < seen.length; index += 2) lastSeen.set(seen[index]!, Number(seen[index + 1]));
  const ids = [...lastSeen.keys()].sort();

  const samples = new Map<string, ReadSample>();
  const identities = new Map<string, ReadIdentity>();
  await Promise.all(
    inGroups(ids).map(async (group) => {
      const texts = await redis.mget([...group.map(keys.nodeSample), ...group.map(keys.nodeIdentity)]);
      for (const [index, id] of group.entries()) {
        const sampleText = texts[index] ?? null;
        const identityText = texts[group.length + index] ?? null;
        if (sampleText !== null) samples.set(id, readSample(sampleText, memory.samples.get(id)));
        if (identityText !== null) identities.set(id, readIdentity(identityText, memory.identities.get(id)));
      }
    }),
  );
  const believed = new Map<string, NodeSample>();
  const troubles = new Map<string, string>();
  for (const id of ids) {
    const { sample = null, trouble = `no sample for more than ${sampleTtlSeconds} s` } = samples.get(id) ?? {};
    const doubt = sample === null ? trouble : whyNotBelieved(id, sample, at, sampleTtlSeconds);
    if (sample !== null && doubt === null) believed.set(id, sample);
    else troubles.set(id, doubt ?? "");
  }
  const wanted = ids.map((id) => ({ id, newestAt: believed.get(id)?.at ?? null }));
  const histories = await readHistories(
    redis,
    keys,
    wanted,
    memory.historyLength === historyLength ? memory.histories : new Map(),
    historyLength,
  );
  // Only what Redis still has: a node that is forgotten here too.
  const heard = new Set(ids.filter((id) => believed.has(id) || memory.heard.has(id)));
  Object.assign(memory, { samples, identities, histories, heard, historyLength });
  return ids.map((id) => ({
    id,
    lastSeenAt: lastSeen.get(id)!,
    sample: believed.get(id) ?? null,
    trouble: troubles.get(id) ?? null,
    ...(!heard.has(id) && { neverHeard: true as const }),
    identity: identities.get(id)?.identity ?? null,
    history: upTo(histories.get(id)!.points, believed.get(id)?.at ?? Number.POSITIVE_INFINITY),
    flag: flags[id] ?? null,
    cordon: cordons[id] ?? null,
  }));
}

/** What came in while the samples were being read would tell of workloads that they do not show. */
function upTo(points: readonly NodePoint[], at: number): readonly NodePoint[] {
  const end = points.findLastIndex((point) => point.at <= at) + 1;
  return end === points.length ? points : points.slice(0, end);
}

/** One command asks for many nodes, but not for so many that Redis would keep others waiting. */
function inGroups(ids: readonly string[]): string[][] {
  const groups: string[][] = [];
  for (let start = 0; start < ids.length; start += NODES_AT_ONCE) groups.push(ids.slice(start, start + NODES_AT_ONCE));
  return groups;
}
