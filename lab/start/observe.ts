import { nodeSampleSchema } from "../../collector/protocol.js";
import { waitFor } from "../deadline.js";
import type { Fleet } from "../fleet/fleet.js";

/** One reading of the fleet's level, from the samples that the collectors pushed. */
export interface Level {
  /** CPU use as a share of each node's size; null = unknown. */
  readonly ratios: Readonly<Record<string, number | null>>;
  readonly deviation: number;
}

/** Averages the newest samples of each node over `seconds`, so that one burst is not taken for the load. */
export async function readLevel({ lab, redis, keys }: Fleet, seconds: number): Promise<Level> {
  const sums = new Map<string, { sum: number; count: number }>();
  const seen = new Set<string>();
  const end = Date.now() + seconds * 1000;
  await waitFor("samples of every node", seconds + 30, async () => {
    for (const node of lab.nodes) {
      const text = await redis.get(keys.nodeSample(node.name));
      const sample = text === null ? undefined : nodeSampleSchema.safeParse(JSON.parse(text)).data;
      const once = `${node.name}/${sample?.sequence}`;
      if (sample?.cpuUsedCores == null || seen.has(once)) continue;
      seen.add(once);
      const entry = sums.get(node.name) ?? { sum: 0, count: 0 };
      sums.set(node.name, { sum: entry.sum + sample.cpuUsedCores / sample.cpuCapacityCores, count: entry.count + 1 });
    }
    return Date.now() >= end && sums.size === lab.nodes.length;
  });
  const ratios = Object.fromEntries([...sums].map(([name, { sum, count }]) => [name, sum / count]));
  return { ratios, deviation: standardDeviation(Object.values(ratios)) };
}

export function standardDeviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
