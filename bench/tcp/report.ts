import Table from "cli-table3";
import type { ClientReport } from "../../lab/clients/report.js";
import { spread } from "../blackout/statistics.js";

export interface TcpResult {
  readonly connections: number;
  /** Connections that the other side closed or reset, and those this side gave up. */
  readonly resets: number;
  /** Connections that live on at the end as what they were at first. */
  readonly kept: number;
  /** Answers with any byte that is not the expected one: contents, sequence, count or checksum. */
  readonly wrongBytes: number;
  readonly firstWrongAnswers: readonly string[];
  readonly requests: number;
  /** Of the connection that was used least: above the number of moves, or nothing was shown for it. */
  readonly fewestRequests: number;
  /** Over all connections and moves. */
  readonly maxGapSeconds: number;
  /** Of the moves, the median of longest gap to blackout: 1 when no client waits for longer than it must. */
  readonly gapToBlackout: number;
  readonly moves: readonly { readonly blackoutSeconds: number; readonly gapSeconds: number }[];
}

export function summarise(seen: readonly ClientReport[], moves: TcpResult["moves"]): TcpResult {
  const sum = (of: (client: ClientReport) => number) => seen.reduce((total, client) => total + of(client), 0);
  return {
    connections: seen.length,
    resets: sum((client) => client.resets),
    kept: sum((client) => (client.connectionKept ? 1 : 0)),
    wrongBytes: sum((client) => client.wrongAnswers),
    firstWrongAnswers: seen.flatMap((client) => client.firstWrongAnswers).slice(0, 5),
    requests: sum((client) => client.requests),
    fewestRequests: Math.min(...seen.map((client) => client.requests)),
    maxGapSeconds: Math.max(...moves.map((move) => move.gapSeconds)),
    gapToBlackout: spread(moves.map((move) => move.gapSeconds / move.blackoutSeconds)).median,
    moves,
  };
}

export function tcpTable(result: TcpResult): string {
  const table = new Table({
    head: ["connections", "kept", "resets", "wrong answers", "requests", "fewest on one", "longest gap s", "gap / blackout", "blackouts s"],
    style: { head: [], border: [], compact: true },
  });
  const { connections, kept, resets, wrongBytes, requests, fewestRequests, maxGapSeconds, gapToBlackout, moves } = result;
  const blackouts = moves.map((move) => move.blackoutSeconds.toFixed(3)).join(" ");
  table.push([
    connections,
    kept,
    resets,
    wrongBytes,
    requests,
    fewestRequests,
    maxGapSeconds.toFixed(3),
    gapToBlackout.toFixed(2),
    blackouts,
  ]);
  return table.toString();
}
