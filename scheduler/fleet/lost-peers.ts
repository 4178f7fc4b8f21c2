import { type ExecutorReport, executorReportSchema, REPORT_SECONDS } from "../../executor/protocol.js";
import type { HealthSign } from "../../policies/types.js";

/** An executor that has been heard once and is then silent for this long has stopped, or lost Redis. */
const SILENT_SECONDS = 6 * REPORT_SECONDS;
/** What one peer says may be that peer's own trouble. */
const LEAST_WITNESSES = 2;

export type ExecutorReports = ReadonlyMap<string, ExecutorReport>;

/** What cannot be understood is left out: nothing is known of that executor. */
export function parseReports(hash: Readonly<Record<string, string>>): ExecutorReports {
  const reports = new Map<string, ExecutorReport>();
  for (const [node, text] of Object.entries(hash)) {
    try {
      const parsed = executorReportSchema.safeParse(JSON.parse(text));
      if (parsed.success) reports.set(node, parsed.data);
    } catch {
      // Not JSON: as above.
    }
  }
  return reports;
}

export function isExecutorHeard(report: ExecutorReport | undefined, at: number): boolean {
  return report !== undefined && at - report.at <= SILENT_SECONDS;
}

/**
 * The sign `peers-lost` of each node that shows it: its executor has fallen silent, it reaches none of several peers that live, or several
 * peers that live do not reach it and none does. A node whose executor has never been heard is unknown in this, and not well or ill.
 */
export function findLostPeers(reports: ExecutorReports, at: number): ReadonlyMap<string, HealthSign> {
  const signs = new Map<string, HealthSign>();
  const isHeard = (node: string) => isExecutorHeard(reports.get(node), at);
  const missedBy = new Map<string, string[]>();
  const reachedBySome = new Set<string>();
  for (const [node, { reached, unreachable }] of reports) {
    if (!isHeard(node)) continue;
    for (const peer of reached) reachedBySome.add(peer);
    for (const peer of unreachable) missedBy.set(peer, [...(missedBy.get(peer) ?? []), node]);
  }
  for (const [node, { at: heardAt, lostSince, unreachable }] of reports) {
    const living = unreachable.filter(isHeard);
    // One that reaches nobody is no witness against those that it does not reach.
    const witnesses = (missedBy.get(node) ?? []).filter((other) => reports.get(other)!.lostSince === null);
    if (!isHeard(node)) {
      signs.set(node, sign(heardAt, `its executor has not been heard for ${Math.round(at - heardAt)} s`));
    } else if (lostSince !== null && living.length >= LEAST_WITNESSES) {
      signs.set(node, sign(lostSince, `it reaches none of ${living.join(", ")}`));
    } else if (witnesses.length >= LEAST_WITNESSES && !reachedBySome.has(node)) {
      signs.set(node, sign(heardAt, `${witnesses.join(" and ")} do not reach it`));
    }
  }
  return signs;
}

function sign(since: number, detail: string): HealthSign {
  return { kind: "peers-lost", since, detail };
}
