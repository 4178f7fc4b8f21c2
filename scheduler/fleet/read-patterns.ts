import type { Redis } from "ioredis";
import { PATTERN_SLOT_SECONDS, patternSlot, patternSlotSchema } from "../../collector/protocol.js";
import type { Keys } from "../../platform/keys.js";
import type { NodePoint } from "../../policies/types.js";

export type Patterns = ReadonlyMap<string, readonly NodePoint[]>;

/** What was read, and until when it will do: earlier days do not change, and a new half hour is looked up when it comes. */
export interface PatternMemory {
  patterns: Patterns;
  nodes: number;
  slots: string;
}

const NODES_AT_ONCE = 200;

export function makePatternMemory(): PatternMemory {
  return { patterns: new Map(), nodes: 0, slots: "" };
}

/** What each node used on earlier days around the times from `at` until `horizonSeconds` later; oldest first. */
export async function readPatterns(
  redis: Redis,
  keys: Keys,
  nodes: readonly string[],
  { at, horizonSeconds, memory }: { at: number; horizonSeconds: number; memory: PatternMemory },
): Promise<Patterns> {
  const slots = slotsBetween(at, at + horizonSeconds);
  if (memory.slots === slots.join() && memory.nodes === nodes.length) return memory.patterns;
  const patterns = new Map<string, readonly NodePoint[]>();
  for (let first = 0; first < nodes.length; first += NODES_AT_ONCE) {
    const some = nodes.slice(first, first + NODES_AT_ONCE);
    const answers = await Promise.all(some.map((node) => redis.hmget(keys.nodePattern(node), ...slots)));
    for (const [index, texts] of answers.entries()) {
      const points = texts.flatMap((text) => (text === null ? [] : parsePoints(text)));
      if (points.length > 0)
        patterns.set(
          some[index]!,
          points.sort((a, b) => a.at - b.at),
        );
    }
  }
  Object.assign(memory, { patterns, nodes: nodes.length, slots: slots.join() });
  return patterns;
}

/** The half hours whose middles are near enough to any time in between. */
function slotsBetween(from: number, to: number): string[] {
  const slots: string[] = [];
  for (let at = from - PATTERN_SLOT_SECONDS / 2; at <= to + PATTERN_SLOT_SECONDS / 2; at += PATTERN_SLOT_SECONDS)
    slots.push(String(patternSlot(at)));
  return [...new Set([...slots, String(patternSlot(to))])];
}

function parsePoints(text: string): NodePoint[] {
  try {
    const parsed = patternSlotSchema.safeParse(JSON.parse(text));
    return (parsed.data ?? []).map(([at, cpuRatio, memoryRatio]) => ({ at, cpuRatio, memoryRatio }));
  } catch {
    return [];
  }
}
