import { z } from "zod";
import { EvenkeelError } from "../platform/errors.js";
import { DEFAULT_POLICY_CONFIG as defaults, type PolicyConfig } from "../policies/config.js";

const ratio = z.number().min(0).max(1);
const seconds = z.number().nonnegative();

/** What an operator may write under `policies`; whatever is left out keeps its default. */
export const policyConfigSchema = z.strictObject({
  overload: z
    .strictObject({
      enabled: z.boolean().default(defaults.overload.enabled),
      cpuDetectRatio: ratio.default(defaults.overload.cpuDetectRatio).describe("A node is overloaded once its CPU stayed above this"),
      cpuFixRatio: ratio.default(defaults.overload.cpuFixRatio).describe("… and is then brought below this"),
      memoryDetectRatio: ratio.default(defaults.overload.memoryDetectRatio),
      memoryFixRatio: ratio.default(defaults.overload.memoryFixRatio),
      holdSeconds: seconds.default(defaults.overload.holdSeconds).describe("How long it must have stayed above"),
      settleSeconds: seconds.optional().describe("Rest of a node after a move; default holdSeconds, at most 30"),
      minimumGainRatio: ratio.default(defaults.overload.minimumGainRatio).describe("A move must lower the imbalance by this share"),
    })
    .refine((value) => value.cpuFixRatio < value.cpuDetectRatio, { path: ["cpuFixRatio"], message: "must be below cpuDetectRatio" })
    .refine((value) => value.memoryFixRatio < value.memoryDetectRatio, {
      path: ["memoryFixRatio"],
      message: "must be below memoryDetectRatio",
    })
    .prefault({}),
  maintenance: z.strictObject({ enabled: z.boolean().default(defaults.maintenance.enabled) }).prefault({}),
  headroom: z
    .strictObject({
      cpuRatio: ratio.default(defaults.headroom.cpuRatio).describe("No destination is planned above this"),
      memoryRatio: ratio.default(defaults.headroom.memoryRatio),
    })
    .prefault({}),
  cooldownSeconds: seconds.default(defaults.cooldownSeconds).describe("A workload rests this long after a move; drains are exempt"),
  concurrency: z
    .strictObject({
      perNode: z.number().int().positive().default(defaults.concurrency.perNode),
      fleet: z.number().int().positive().default(defaults.concurrency.fleet),
    })
    .prefault({}),
});

/** @throws CONFIG_INVALID naming every wrong field. */
export function parsePolicyConfig(value: unknown): PolicyConfig {
  const parsed = policyConfigSchema.safeParse(value);
  if (!parsed.success) throw new EvenkeelError("CONFIG_INVALID", `policies:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
