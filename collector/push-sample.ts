import type { Redis } from "ioredis";
import type { Keys } from "../platform/keys.js";
import { type NodeIdentity, type NodeSample, nodeIdentitySchema, nodeSampleSchema } from "./protocol.js";

export interface PushOptions {
  readonly sampleTtlSeconds: number;
  readonly historyLength: number;
}

/** Writes a sample, and the identity when given, all or nothing. @throws ZodError when either does not fit the wire format. */
export async function pushSample(
  redis: Redis,
  keys: Keys,
  options: PushOptions,
  sample: NodeSample,
  identity: NodeIdentity | null,
): Promise<void> {
  const checked = nodeSampleSchema.parse(sample);
  const checkedIdentity = identity === null ? null : nodeIdentitySchema.parse(identity);
  const { node } = checked;
  const point = {
    at: checked.at,
    cpuRatio: ratio(checked.cpuUsedCores, checked.cpuCapacityCores),
    memoryRatio: ratio(checked.memoryUsedBytes, checked.memoryCapacityBytes),
  };
  const transaction = redis
    .multi()
    .set(keys.nodeSample(node), JSON.stringify(checked), "PX", Math.round(options.sampleTtlSeconds * 1000))
    .xadd(keys.nodeHistory(node), "MAXLEN", "~", options.historyLength, "*", ...Object.entries(point).flat())
    .zadd(keys.nodes, checked.at, node);
  if (checkedIdentity !== null) transaction.set(keys.nodeIdentity(node), JSON.stringify(checkedIdentity));
  const replies = await transaction.exec();
  const failed = replies?.find(([error]) => error !== null)?.[0];
  if (replies === null || failed) throw failed ?? new Error("Redis dropped the transaction");
}

/** The empty string is unknown: it must not be read back as zero. */
function ratio(used: number | null, capacity: number): number | "" {
  return used === null ? "" : used / capacity;
}
