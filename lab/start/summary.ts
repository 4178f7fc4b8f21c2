import type { ClientReport } from "../clients/report.js";

/** What `npm start -- --once --json FILE` writes. Ratios 0..1 of a node's size, times in seconds. */
export interface Summary {
  readonly ok: boolean;
  /** Why not; empty when ok. */
  readonly failures: readonly string[];
  /** Standard deviation of the nodes' CPU ratio, under load before Evenkeel acted and after. */
  readonly imbalanceBefore: number;
  readonly imbalanceAfter: number;
  readonly moves: readonly MoveSummary[];
  readonly drain: { readonly node: string; readonly seconds: number; readonly left: number };
  readonly clients: readonly ClientSummary[];
  readonly leftovers: readonly string[];
  readonly wallSeconds: number;
}

export interface MoveSummary {
  readonly workload: string;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  readonly mode: string | null;
  readonly result: string | null;
  readonly error: string | null;
  readonly blackoutSeconds: number | null;
  readonly clientGapSeconds: number;
  readonly connectionKept: boolean;
  readonly bytes: number;
}

export interface ClientSummary {
  readonly workload: string;
  readonly requests: number;
  readonly wrongAnswers: number;
  readonly resets: number;
  readonly connectionKept: boolean;
  readonly longestGapSeconds: number;
}

/**
 * The load counts as levelled when at most this share of the imbalance is left. Two equal burners on three nodes cannot come below half, and a busy
 * machine adds its noise.
 */
const LEVELLED_SHARE = 0.75;

export function summariseClient(client: ClientReport): ClientSummary {
  const { workload, requests, wrongAnswers, resets, connectionKept, longestGapSeconds } = client;
  return { workload, requests, wrongAnswers, resets, connectionKept, longestGapSeconds };
}

/** Judges a run: the load was levelled, the node emptied, every connection kept, no answer wrong, nothing left behind. */
export function judge(run: Omit<Summary, "ok" | "failures">): Summary {
  const failures: string[] = [];
  if (run.imbalanceAfter > run.imbalanceBefore * LEVELLED_SHARE) {
    failures.push(`the load was not levelled: imbalance ${run.imbalanceBefore.toFixed(3)} before, ${run.imbalanceAfter.toFixed(3)} after`);
  }
  if (!run.moves.some((move) => move.reason === "overload" && move.result === "succeeded")) failures.push("no workload left the hot node");
  if (run.drain.left > 0) failures.push(`${run.drain.left} workloads were left on ${run.drain.node}`);
  if (!run.moves.some((move) => move.reason === "maintenance" && move.result === "succeeded")) failures.push("no workload was drained");
  for (const client of run.clients) {
    if (client.requests === 0) failures.push(`${client.workload}: never answered`);
    if (client.wrongAnswers > 0) failures.push(`${client.workload}: ${client.wrongAnswers} wrong answers`);
    if (!client.connectionKept || client.resets > 0) failures.push(`${client.workload}: its connection was lost`);
  }
  if (run.leftovers.length > 0) failures.push(`left behind: ${run.leftovers.join(", ")}`);
  return { ok: failures.length === 0, failures, ...run };
}
