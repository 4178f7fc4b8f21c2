import { CATALOGUE } from "../../platform/errors.js";
import { isOfWorkload } from "../../platform/findings.js";
import type { MigrationRecord } from "../../platform/migration-record.js";
import type { MoveRefusal } from "../../policies/types.js";

/** Older ones are forgotten, whatever the rest is set to. */
const REMEMBERED_SECONDS = 86_400;

/** Failures before or in the freeze that every destination would meet. */
const OF_WORKLOAD: ReadonlySet<string> = new Set(["CHECKPOINT_FAILED"]);

/** Blockers that are gone in a moment, as a rule, or that an operator takes away of the container as it is. */
const PASSING: ReadonlySet<string> = new Set(["exec-session", "memory-short", "stray-process", "beyond-limit", "pids-short"]);

/**
 * Moves that came to nothing, by container: the newest for each destination, and how often the like. By container, since a successful move makes a new one, and so
 * does whoever mends what was in the way. `closed` is newest first.
 */
export function readRefusals(closed: readonly MigrationRecord[], now: number): Map<string, MoveRefusal[]> {
  const refusals = new Map<string, MoveRefusal[]>();
  for (const record of closed) {
    if ((record.closedAt ?? 0) < now - REMEMBERED_SECONDS) break;
    if (record.result !== "failed") continue;
    refusals.set(record.containerId, [...(refusals.get(record.containerId) ?? []), toRefusal(record)]);
  }
  return new Map([...refusals].map(([container, all]) => [container, newestOfEach(all)]));
}

function newestOfEach(all: readonly MoveRefusal[]): MoveRefusal[] {
  const newest = all.filter(({ to }, index) => all.findIndex((each) => each.to === to) === index);
  return newest.map((refusal) => ({ ...refusal, times: all.filter(({ code }) => code === refusal.code).length }));
}

function toRefusal({ closedAt, updatedAt, to, blockers, errorCode }: MigrationRecord): MoveRefusal {
  const own = blockers.find(({ code }) => isOfWorkload(code));
  const blocker = own ?? blockers[0];
  const code = errorCode ?? "INTERNAL";
  return {
    at: closedAt ?? updatedAt,
    to: own !== undefined || OF_WORKLOAD.has(code) ? null : to,
    code: blocker?.code ?? code,
    because: blocker?.message ?? CATALOGUE[code].message,
    passes: blocker === undefined ? CATALOGUE[code].retryable : blockers.every(({ code: each }) => PASSING.has(each)),
  };
}
