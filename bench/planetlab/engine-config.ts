import { readFile } from "node:fs/promises";
import type { PolicyConfig } from "../../policies/config.js";
import { parsePolicyConfig } from "../../scheduler/policy-config.js";

export type MeasuredPolicy = "consolidate" | "balance";

/** The day begins with hundreds of hosts to be emptied, and in the literature's set-up migrations do not compete for anything. */
const NO_LIMITS = { perNode: 1000, fleet: 10_000 };

/**
 * The engine as it ships, but for the limits on moves at once, and with power saving for `consolidate` or levelling for `balance`. Both keep hosts
 * from overload.
 * @param given settings of policies that take precedence, as an operator would write them. @throws CONFIG_INVALID naming every wrong field.
 */
export function engineConfig(policy: MeasuredPolicy, given: Readonly<Record<string, unknown>> = {}): PolicyConfig {
  const section = (name: MeasuredPolicy) => ({ enabled: policy === name, ...(given[name] as object | undefined) });
  return parsePolicyConfig({ concurrency: NO_LIMITS, ...given, consolidate: section("consolidate"), balance: section("balance") });
}

export async function readGiven(path: string | undefined): Promise<Record<string, unknown>> {
  return path === undefined ? {} : JSON.parse(await readFile(path, "utf8"));
}
