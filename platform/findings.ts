import type { Known, Severity } from "./findings/finding.js";
import { NODE_FINDINGS } from "./findings/node-findings.js";
import { PAIR_FINDINGS } from "./findings/pair-findings.js";
import { DESTINATION_FINDINGS, WORKLOAD_FINDINGS } from "./findings/workload-findings.js";

/**
 * The one catalogue of what may stand in the way of a move, found before anything is touched. Codes are stable: scripts, metrics and the
 * records of refused migrations carry them.
 */
export const FINDINGS = { ...NODE_FINDINGS, ...PAIR_FINDINGS, ...WORKLOAD_FINDINGS, ...DESTINATION_FINDINGS } as const satisfies Record<
  string,
  Known
>;

export type FindingCode = keyof typeof FINDINGS;

/** One thing that was found. `message` says what and where, `hint` what to do next. */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  readonly message: string;
  readonly hint: string;
}

export function finding(code: FindingCode, message: string, how: { readonly severity?: Severity; readonly hint?: string } = {}): Finding {
  const known: Known = FINDINGS[code];
  return { code, severity: how.severity ?? known.severity, message, hint: how.hint ?? known.cure };
}

/** Whether it is the workload's own, so that every destination meets it. */
export function isOfWorkload(code: FindingCode): boolean {
  return code in WORKLOAD_FINDINGS || code === "image-missing";
}

/** Those that forbid the move. */
export function blockersAmong(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ severity }) => severity === "fail");
}

/** One thing about a node that was looked at. `ok`: `found` says what is there; else a finding says what is wrong. */
export type Check =
  | { readonly topic: string; readonly status: "ok"; readonly found: string }
  | { readonly topic: string; readonly status: Severity; readonly finding: Finding };
