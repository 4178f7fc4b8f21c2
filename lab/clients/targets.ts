import { z } from "zod";
import { type LabWorkload, WORKLOADS } from "../workloads/workload-table.js";
import { makeAppenderCaller } from "./call-appender.js";
import { makeBurner } from "./call-burner.js";
import { makeHttpCaller } from "./call-http.js";
import { makePairCaller } from "./call-pair.js";
import { makeRedisCaller } from "./call-redis.js";
import { makeRewriterCaller } from "./call-rewriter.js";
import type { Caller } from "./dialogue.js";

export const targetSchema = z.object({
  workload: z.string().min(1),
  protocol: z.enum(["redis", "http", "burner", "rewriter", "appender", "pair"]),
  host: z.string().min(1),
  port: z.number().int().min(1).max(65535),
});

export const targetsSchema = z.array(targetSchema);

/** One workload to talk to: what the file given to `--targets` lists. */
export type Target = z.infer<typeof targetSchema>;

export function toTargets(workloads: readonly LabWorkload[] = WORKLOADS): Target[] {
  return workloads.map(({ name, protocol, address, port }) => ({ workload: name, protocol, host: address, port }));
}

export interface Partner {
  readonly call: Caller;
  /** Only where the workload can be told to burn CPU. */
  readonly burn?: (percent: number) => Promise<void>;
}

export const PARTNERS: Readonly<Record<Target["protocol"], () => Partner>> = {
  redis: () => ({ call: makeRedisCaller() }),
  http: () => ({ call: makeHttpCaller() }),
  burner: makeBurner,
  rewriter: () => ({ call: makeRewriterCaller() }),
  appender: () => ({ call: makeAppenderCaller() }),
  pair: () => ({ call: makePairCaller() }),
};
