import { z } from "zod";
import { EvenkeelError } from "../platform/errors.js";
import { describeIssues } from "../platform/field-line.js";
import { parseConfig } from "../platform/load-config.js";
import { type CompleteConfig, DEFAULT_POLICY_CONFIG, type PolicyConfig } from "../policies/config.js";
import { HEALTH_SIGNS } from "../policies/types.js";

/** Settings that may be absent even from the defaults. */
const OPTIONAL: Readonly<Record<string, z.ZodType>> = {
  "overload.settleSeconds": z.number().nonnegative().optional(),
  "concurrency.blackoutGoalSeconds": z.number().positive().nullable().optional(),
};

/** What the texts of a list may be. */
const LISTED: Readonly<Record<string, z.ZodType<string>>> = {
  "health.evacuateOn": z.enum(HEALTH_SIGNS),
  "health.cordonOn": z.enum(HEALTH_SIGNS),
};

/** Settings of which zero would mean that nothing ever happens. */
const POSITIVE: ReadonlySet<string> = new Set(["concurrency.perNode", "concurrency.fleet"]);

/**
 * What an operator may write under `policies`; whatever is left out keeps its default. Drawn from the defaults, whose names carry their
 * units: a policy that gains a setting needs nothing here.
 */
export const policyConfigSchema = (schemaOf(DEFAULT_POLICY_CONFIG, "") as z.ZodType<PolicyConfig>).superRefine((config, context) => {
  const { overload, balance, fairness } = config as CompleteConfig;
  const refuse = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
  if (balance.stopRatio > balance.startRatio)
    refuse(["balance", "stopRatio"], "must not be above startRatio, below which nothing is begun");
  if (fairness.cooldownGrowth < 1)
    refuse(["fairness", "cooldownGrowth"], "must be at least 1, or a workload that moves often would rest less");
  for (const resource of ["cpu", "memory"] as const) {
    if (overload[`${resource}FixRatio`] < overload[`${resource}DetectRatio`]) continue;
    refuse(["overload", `${resource}FixRatio`], `must be below ${resource}DetectRatio, or the same node would be relieved for ever`);
  }
});

/** The `policies` of a configuration file. @throws CONFIG_INVALID naming every wrong field with its line. */
export function readPolicyConfig(text: string, path: string): PolicyConfig {
  const parsed = policyConfigSchema.safeParse(parseConfig(text, path).policies);
  if (!parsed.success) throw new EvenkeelError("CONFIG_INVALID", `${path}:\n${describeIssues(text, parsed.error.issues, ["policies"])}`);
  return parsed.data;
}

/** @throws CONFIG_INVALID naming every wrong field. */
export function parsePolicyConfig(value: unknown): PolicyConfig {
  const parsed = policyConfigSchema.safeParse(value);
  if (!parsed.success) throw new EvenkeelError("CONFIG_INVALID", `policies:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

function schemaOf(standard: unknown, path: string): z.ZodType {
  if (Array.isArray(standard)) return z.array(LISTED[path] ?? z.string()).default(standard);
  if (typeof standard === "object" && standard !== null) {
    const shape = Object.fromEntries(Object.entries(standard).map(([name, value]) => [name, schemaOf(value, join(path, name))]));
    const extra = Object.entries(OPTIONAL).flatMap(([full, schema]) => {
      const name = full.slice(full.lastIndexOf(".") + 1);
      return full === join(path, name) ? [[name, schema]] : [];
    });
    return z.strictObject({ ...shape, ...Object.fromEntries(extra) }).prefault({});
  }
  switch (typeof standard) {
    case "boolean":
      return z.boolean().default(standard);
    case "string":
      return z.string().min(1).default(standard);
    case "number":
      return numberSchema(path).default(standard);
    default:
      return numberSchema(path).nullable().default(null);
  }
}

function numberSchema(path: string): z.ZodNumber {
  if (POSITIVE.has(path)) return z.number().int().positive();
  return path.endsWith("Ratio") ? z.number().min(0).max(1) : z.number().nonnegative();
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
