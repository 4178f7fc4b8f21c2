import type { Redis } from "ioredis";
import type { Keys } from "../platform/keys.js";
import { type NodeSample, PATTERN_SLOT_SECONDS, type PatternPoint, patternSlot, patternSlotSchema } from "./protocol.js";

/** Weekdays and weekends differ; a week shows both. */
const SECONDS_KEPT = 7 * 86_400;
/** What was seen for less of it says little about half an hour. */
const LEAST_SEEN_SECONDS = PATTERN_SLOT_SECONDS / 2;

export interface PatternMaker {
  /** The half hour that has ended with this sample; null = it goes on, or too little of it was seen. */
  add(sample: NodeSample): PatternPoint | null;
}

/** Means of each half hour of the day, from the samples as they come. */
export function makePattern(): PatternMaker {
  let begunAt = 0;
  let lastAt = 0;
  let sums = { cpu: 0, cpuCount: 0, memory: 0, memoryCount: 0 };
  const close = (): PatternPoint | null => {
    const { cpu, cpuCount, memory, memoryCount } = sums;
    if (lastAt - begunAt < LEAST_SEEN_SECONDS) return null;
    const middle = (Math.floor(begunAt / PATTERN_SLOT_SECONDS) + 0.5) * PATTERN_SLOT_SECONDS;
    return [middle, cpuCount === 0 ? null : cpu / cpuCount, memoryCount === 0 ? null : memory / memoryCount];
  };
  return {
    add: (sample) => {
      const isNew = Math.floor(sample.at / PATTERN_SLOT_SECONDS) !== Math.floor(begunAt / PATTERN_SLOT_SECONDS);
      const closed = isNew ? close() : null;
      if (isNew) {
        begunAt = sample.at;
        sums = { cpu: 0, cpuCount: 0, memory: 0, memoryCount: 0 };
      }
      lastAt = sample.at;
      if (sample.cpuUsedCores !== null) {
        sums.cpu += sample.cpuUsedCores / sample.cpuCapacityCores;
        sums.cpuCount++;
      }
      if (sample.memoryUsedBytes !== null) {
        sums.memory += sample.memoryUsedBytes / sample.memoryCapacityBytes;
        sums.memoryCount++;
      }
      return closed;
    },
  };
}

/** Adds it to the same half hour of the last days: of those it was switched off there is nothing, and nothing older in its place. Only the node's own collector writes there. */
export async function pushPattern(redis: Redis, keys: Keys, node: string, point: PatternPoint): Promise<void> {
  const field = String(patternSlot(point[0]));
  const before = patternSlotSchema.safeParse(parse(await redis.hget(keys.nodePattern(node), field)));
  const earlier = (before.data ?? []).filter(([at]) => at < point[0] && at > point[0] - SECONDS_KEPT);
  await redis.hset(keys.nodePattern(node), field, JSON.stringify([...earlier, point]));
}

function parse(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "[]");
  } catch {
    return [];
  }
}
