import type { Redis } from "ioredis";
import type { Keys } from "../../platform/keys.js";
import type { NodePoint } from "../../policies/types.js";

/** What is known of a node's stream: only what has been added since is read again. */
export interface KnownHistory {
  /** Id of its newest entry that has been read. */
  readonly lastId: string;
  /** Oldest first. */
  readonly points: readonly NodePoint[];
}

type Entry = [id: string, fields: string[]];

const NODES_AT_ONCE = 200;
const NONE: KnownHistory = { lastId: "0-0", points: [] };

/**
 * The newest `length` points of each node. What `known` holds is completed by what its stream has gained, asked for with one command for many
 * nodes; a node whose stream cannot have been followed (new here, too far ahead, or begun anew) is read as a whole.
 * @param newestAt time of the node's newest sample: a history that ends before it was not followed.
 */
export async function readHistories(
  redis: Redis,
  keys: Keys,
  nodes: readonly { readonly id: string; readonly newestAt: number | null }[],
  known: ReadonlyMap<string, KnownHistory>,
  length: number,
): Promise<Map<string, KnownHistory>> {
  const followed = nodes.filter(({ id }) => known.has(id));
  const gained = await readGained(
    redis,
    keys,
    followed.map(({ id }) => [id, known.get(id)!.lastId] as const),
    length,
  );
  const histories = new Map<string, KnownHistory>();
  for (const { id, newestAt } of followed) {
    const history = append(known.get(id)!, gained.get(id) ?? [], length);
    const lastAt = history?.points.at(-1)?.at;
    if (history !== null && (newestAt === null || (lastAt !== undefined && lastAt >= newestAt))) histories.set(id, history);
  }
  const unknown = nodes.filter(({ id }) => !histories.has(id));
  const whole = await Promise.all(unknown.map(({ id }) => redis.xrevrange(keys.nodeHistory(id), "+", "-", "COUNT", length)));
  for (const [index, { id }] of unknown.entries()) {
    const entries = whole[index]!;
    histories.set(id, entries.length === 0 ? NONE : { lastId: entries[0]![0], points: parseEntries(entries).reverse() });
  }
  return histories;
}

export async function readHistory(redis: Redis, keys: Keys, node: string, length: number): Promise<NodePoint[]> {
  return parseEntries(await redis.xrevrange(keys.nodeHistory(node), "+", "-", "COUNT", length)).reverse();
}

async function readGained(
  redis: Redis,
  keys: Keys,
  nodes: readonly (readonly [id: string, lastId: string])[],
  length: number,
): Promise<Map<string, Entry[]>> {
  const groups: (typeof nodes)[] = [];
  for (let start = 0; start < nodes.length; start += NODES_AT_ONCE) groups.push(nodes.slice(start, start + NODES_AT_ONCE));
  const replies = await Promise.all(
    groups.map((group) =>
      redis.xread("COUNT", length, "STREAMS", ...group.map(([id]) => keys.nodeHistory(id)), ...group.map(([, lastId]) => lastId)),
    ),
  );
  const nodeOf = new Map(nodes.map(([id]) => [keys.nodeHistory(id), id]));
  const gained = new Map<string, Entry[]>();
  for (const reply of replies) for (const [key, entries] of reply ?? []) gained.set(nodeOf.get(key)!, entries as Entry[]);
  return gained;
}

/** Null: as much was gained as is kept, so that something in between may have been left out. */
function append(history: KnownHistory, gained: readonly Entry[], length: number): KnownHistory | null {
  if (gained.length === 0) return history;
  if (gained.length >= length) return null;
  const points = [...history.points, ...parseEntries(gained)];
  return { lastId: gained.at(-1)![0], points: points.length > length ? points.slice(-length) : points };
}

function parseEntries(entries: readonly Entry[]): NodePoint[] {
  return entries.map(([, fields]) => parsePoint(fields));
}

function parsePoint(fields: readonly string[]): NodePoint {
  const read = (name: string) => {
    const at = fields.indexOf(name);
    const text = at < 0 ? "" : fields[at + 1];
    return text !== undefined && text !== "" && Number.isFinite(Number(text)) ? Number(text) : null;
  };
  return { at: read("at") ?? 0, cpuRatio: read("cpuRatio"), memoryRatio: read("memoryRatio") };
}
