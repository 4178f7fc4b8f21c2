import type { Constraints } from "./types.js";

const MODES: ReadonlySet<string> = new Set(["precopy", "stopcopy", "postcopy", "cold", "auto", "auto+postcopy", "never"]);

/**
 * Reads what a container's labels ask for. Fails safe: a mode nobody understands means `never`, since whoever wrote it
 * wanted something special and the safest guess is to keep hands off.
 */
export function parseConstraints(labels: Readonly<Record<string, string>>): Constraints {
  return {
    mode: parseMode(labels["io.evenkeel.mode"]),
    antiAffinityGroup: labels["io.evenkeel.anti-affinity"]?.trim() || null,
    pinnedTo: [...new Set((labels["io.evenkeel.pin"] ?? "").split(",").map((name) => name.trim()))].filter((name) => name !== ""),
    ...parseFurther(labels),
  };
}

/** What most workloads do not have: absent rather than null. */
function parseFurther(labels: Readonly<Record<string, string>>): Partial<Constraints> {
  const group = labels["io.evenkeel.group"]?.trim();
  const affinityGroup = group || labels["io.evenkeel.affinity"]?.trim();
  const zoneSpreadGroup = labels["io.evenkeel.zone-spread"]?.trim();
  const disruptionBudget = parseBudget(labels["io.evenkeel.disruption-budget"]);
  const mayGoCold = [labels["io.evenkeel.mode"], labels["io.evenkeel.fallback"]].some((value) => value?.trim().toLowerCase() === "cold");
  const closesConnections = labels["io.evenkeel.connections"] === "close";
  const priority = Number(labels["io.evenkeel.priority"]?.trim() || Number.NaN);
  return {
    ...(affinityGroup && { affinityGroup }),
    ...(group && { group }),
    ...(zoneSpreadGroup && { zoneSpreadGroup }),
    ...(disruptionBudget && { disruptionBudget }),
    ...(Number.isFinite(priority) && { priority }),
    ...(mayGoCold && { mayGoCold }),
    ...(closesConnections && { closesConnections }),
  };
}

/** GROUP/COUNT; a count that cannot be read is one: the strictest that still lets anything move. */
function parseBudget(label: string | undefined): Constraints["disruptionBudget"] {
  const [group = "", count = ""] = (label ?? "").split("/").map((part) => part.trim());
  const moving = Number.parseInt(count, 10);
  return group === "" ? null : { group, moving: Number.isNaN(moving) ? 1 : Math.max(1, moving) };
}

function parseMode(label: string | undefined): Constraints["mode"] {
  if (label === undefined) return "auto";
  const mode = label.trim().toLowerCase();
  return MODES.has(mode) ? (mode as Constraints["mode"]) : "never";
}
