/** `fail`: nothing can be moved, or not this workload. `warn`: it works, but somebody should know. */
export type Severity = "fail" | "warn";

/** What is known beforehand about a finding of one code; docs/preflight.md is drawn from it. */
export interface Known {
  readonly severity: Severity;
  /** What it means, in a sentence that stands on its own. */
  readonly meaning: string;
  /** What to do about it. */
  readonly cure: string;
}

export const fails = (meaning: string, cure: string): Known => ({ severity: "fail", meaning, cure });
export const warns = (meaning: string, cure: string): Known => ({ severity: "warn", meaning, cure });
