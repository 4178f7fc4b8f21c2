import type { Plan } from "../policies/types.js";
import type { AuditEntry } from "./audit.js";
import type { FleetPicture } from "./fleet/build-snapshot.js";

type NewEntry = Omit<AuditEntry, "id">;

/** A reading above a bound and back again is no news; metrics have it. */
const PASSING: ReadonlySet<string> = new Set(["level", "warming"]);

/** What the audit should say of this tick: only what differs from the one before, lest it repeat itself every few seconds. */
export function describeChanges(
  picture: FleetPicture,
  plan: Plan,
  before: { plan: Plan | null; conflicts: ReadonlySet<string> },
): { entries: NewEntry[]; conflicts: ReadonlySet<string> } {
  const { at } = picture.reading;
  const entries: NewEntry[] = [];
  const verdictBefore = new Map(before.plan?.verdicts.map(({ node, verdict }) => [node, verdict]));
  for (const { node, verdict, because } of plan.verdicts) {
    const previous = verdictBefore.get(node);
    if (previous !== undefined && previous !== verdict && !(PASSING.has(previous) && PASSING.has(verdict))) {
      entries.push({ at, kind: "verdict", actor: "scheduler", node, detail: `${previous} -> ${verdict}: ${because}` });
    }
  }
  const movesBefore = new Set(before.plan?.moves.map(({ workload, to }) => `${workload} ${to}`));
  for (const { workload, from, to, because } of plan.moves) {
    if (!movesBefore.has(`${workload} ${to}`)) {
      entries.push({ at, kind: "move-planned", actor: "scheduler", workload, detail: `${from} -> ${to}: ${because}` });
    }
  }
  if (before.plan !== null) entries.push(...lateDrains(picture, plan, before.plan.at));
  const conflicts = new Set<string>();
  for (const { id, conflict, isCertain } of picture.placed) {
    if (!isCertain) continue;
    const key = `${id} ${conflict.join(" ")}`;
    conflicts.add(key);
    if (before.conflicts.has(key)) continue;
    const detail = `runs on ${conflict.join(" and ")} at once; it is not moved until all but one are stopped`;
    entries.push({ at, kind: "conflict", actor: "scheduler", workload: id, detail });
  }
  return { entries, conflicts };
}

/** Drains whose deadline has passed since the tick before, each with what is left and why. */
function lateDrains({ snapshot, placed }: FleetPicture, plan: Plan, beforeAt: number): NewEntry[] {
  const { at } = snapshot;
  const late = snapshot.nodes.filter(({ maintenance }) => {
    const deadline = maintenance?.deadline ?? null;
    return deadline !== null && beforeAt <= deadline && at > deadline;
  });
  // Nearly always none, and a large fleet's workloads are not to be gone through for that.
  if (late.length === 0) return [];
  const names = new Map(placed.map(({ id, reading }) => [id, reading.name]));
  const reasons = new Map(plan.skips.map(({ workload, reason }) => [workload, reason]));
  return late.flatMap((node) => {
    const left = snapshot.workloads.filter((workload) => workload.node === node.id);
    if (left.length === 0) return [];
    const named = left.map(({ id }) => `${names.get(id) ?? id} (${reasons.get(id) ?? "moving"})`);
    const detail = `the deadline has passed with ${left.length} left: ${named.join(", ")}`;
    return [{ at, kind: "drain-late", actor: "scheduler", node: node.id, detail }];
  });
}
