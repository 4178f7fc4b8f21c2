import { posix } from "node:path";

/** Relative imports of a source file, as paths below the top folder; type imports count too. */
export function importsOf(path: string, text: string): string[] {
  const found = text.matchAll(/^\s*(?:import|export)\b[^;"']*?["'](\.[^"']+)["']|\bimport\(\s*["'](\.[^"']+)["']/gm);
  return [...found].map(([, stated, dynamic]) => posix.normalize(posix.join(posix.dirname(path), (stated ?? dynamic)!)));
}

const PARTS = ["collector", "scheduler", "executor"];

/** Why `path` may not import `target`; null = it may. docs/architecture.md states the rule. */
export function whyNotImport(path: string, target: string): string | null {
  const [from = "", to = ""] = [path.split("/")[0], target.split("/")[0]];
  if (from === to) return null;
  if (from === "policies") return "policies imports nothing but policies";
  if (from === "platform") return "platform imports nothing but platform";
  if (!PARTS.includes(from) || to === "platform" || to === "policies") return null;
  if (PARTS.includes(to)) return target === `${to}/protocol.js` ? null : `of ${to}, only its protocol.ts is for others`;
  return `${from} imports platform, policies and protocols only`;
}
