import type { Finding } from "../../../platform/findings.js";
import type { Output } from "../output.js";

export function paintStatus(status: "ok" | "warn" | "fail", { paint }: Output): string {
  return paint(status === "ok" ? "green" : status === "warn" ? "yellow" : "red", status);
}

/** What to do about each kind of finding, once, failures first. */
export function printCures(findings: readonly Finding[], output: Output): void {
  const cures = new Map<string, Finding>();
  for (const severity of ["fail", "warn"] as const) {
    for (const each of findings) if (each.severity === severity && !cures.has(each.code)) cures.set(each.code, each);
  }
  if (cures.size === 0) return;
  output.line("What to do:");
  for (const { code, severity, hint } of cures.values()) output.line(`  ${paintStatus(severity, output)} ${code}: ${hint}`);
}
