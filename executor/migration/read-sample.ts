import { type NodeSample, nodeSampleSchema } from "../../collector/protocol.js";
import type { Surroundings } from "./migration.js";

/** The newest sample of a node; null where there is none that is fresh. */
export async function readSample({ redis, keys }: Pick<Surroundings, "redis" | "keys">, node: string): Promise<NodeSample | null> {
  const text = await redis.get(keys.nodeSample(node));
  return text === null ? null : (nodeSampleSchema.safeParse(JSON.parse(text)).data ?? null);
}
