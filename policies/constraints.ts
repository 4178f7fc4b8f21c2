import type { Constraints } from "./types.js";

const MODES: ReadonlySet<string> = new Set(["precopy", "stopcopy", "postcopy", "cold", "auto", "never"]);

/**
 * Reads what a container's labels ask for. Fails safe: a mode nobody understands means `never`, since whoever wrote it
 * wanted something special and the safest guess is to keep hands off.
 */
export function parseConstraints(labels: Readonly<Record<string, string>>): Constraints {
  return {
    mode: parseMode(labels["io.evenkeel.mode"]),
    antiAffinityGroup: labels["io.evenkeel.anti-affinity"]?.trim() || null,
    pinnedTo: [...new Set((labels["io.evenkeel.pin"] ?? "").split(",").map((name) => name.trim()))].filter((name) => name !== ""),
  };
}

function parseMode(label: string | undefined): Constraints["mode"] {
  if (label === undefined) return "auto";
  const mode = label.trim().toLowerCase();
  return MODES.has(mode) ? (mode as Constraints["mode"]) : "never";
}
