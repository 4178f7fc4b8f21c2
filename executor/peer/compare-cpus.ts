import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import { z } from "zod";
import { nowSeconds } from "../../platform/clock.js";
import type { Keys } from "../../platform/keys.js";
import type { CpuCheck } from "../preflight/cpu.js";
import type { ExecutorReport } from "../protocol.js";

export type CpuStanding = Pick<ExecutorReport, "cpuKind" | "refusedCpus">;

/** `image`: CRIU's, in base64. `at`: epoch seconds of when a node last said that it has such a CPU. */
const kindSchema = z.object({ image: z.string(), at: z.number() });

const LOOK_SECONDS = 30;
/** A kind that no node has named for so long is gone from the fleet. */
const FORGET_SECONDS = 86_400;
/** A fleet has a handful. Each costs a program once. */
const MOST_KINDS = 64;

/**
 * Keeps in Redis what CPUs there are in the fleet, and compares each with this node's: so those who plan know what preflight would say without
 * asking each pair of nodes. Looks twice a minute.
 */
export function compareCpus({ cpu, redis, keys }: { cpu: CpuCheck; redis: Redis; keys: Keys }): () => Promise<CpuStanding> {
  let known: CpuStanding = {};
  let lookedAt = Number.NEGATIVE_INFINITY;

  async function look(): Promise<CpuStanding> {
    const image = await cpu.read();
    if (image === null) return { cpuKind: null };
    const cpuKind = createHash("sha256").update(image).digest("hex").slice(0, 16);
    await redis.hset(keys.cpuKinds, cpuKind, JSON.stringify({ image, at: nowSeconds() }));
    const refusedCpus: string[] = [];
    for (const [kind, text] of Object.entries(await redis.hgetall(keys.cpuKinds)).slice(0, MOST_KINDS)) {
      const other = readKind(text);
      if (other === null || nowSeconds() - other.at > FORGET_SECONDS) await redis.hdel(keys.cpuKinds, kind);
      else if (kind !== cpuKind && (await cpu.check(other.image)).some(({ code }) => code === "cpu-features")) refusedCpus.push(kind);
    }
    return { cpuKind, refusedCpus };
  }

  return async () => {
    if (nowSeconds() - lookedAt >= LOOK_SECONDS) {
      known = await look();
      lookedAt = nowSeconds();
    }
    return known;
  };
}

function readKind(text: string): z.infer<typeof kindSchema> | null {
  try {
    return kindSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
