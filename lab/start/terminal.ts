import Table from "cli-table3";
import type { Summary } from "./summary.js";

export interface Terminal {
  /** One line of the story, with the seconds since the start. */
  tell(line: string): void;
  /** A step that takes a while; with a percent it is drawn as a bar that stays on its line. */
  progress(step: string, percent?: number): void;
  /** The moving picture below the story; only on a terminal. */
  board(lines: readonly string[]): void;
  summary(summary: Summary): void;
}

const BAR_CELLS = 30;

export function bar(ratio: number, cells: number): string {
  const full = Math.round(Math.min(1, Math.max(0, ratio)) * cells);
  return "█".repeat(full) + "░".repeat(cells - full);
}

export function makeTerminal(out: NodeJS.WriteStream = process.stdout): Terminal {
  const began = performance.now();
  let drawn = 0;
  let lastStep = "";
  const seconds = () => `${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s`;
  const erase = () => {
    if (drawn > 0) out.write(`\x1b[${drawn}F\x1b[0J`);
    drawn = 0;
  };
  const tell = (line: string) => {
    erase();
    out.write(`${seconds()}  ${line}\n`);
  };
  return {
    tell,
    progress(step, percent) {
      if (percent === undefined) {
        tell(step);
      } else if (out.isTTY) {
        erase();
        out.write(`${seconds()}  ${bar(percent / 100, BAR_CELLS)} ${Math.round(percent)} % ${step}\n`);
        drawn = 1;
      } else if (step !== lastStep) {
        tell(`${Math.round(percent)} % ${step}`);
      }
      lastStep = step;
    },
    board(lines) {
      if (!out.isTTY) return;
      erase();
      const width = out.columns ?? 120;
      out.write(lines.map((line) => `${line.slice(0, width - 1)}\n`).join(""));
      drawn = lines.length;
    },
    summary(summary) {
      erase();
      const number = (value: number | null, digits = 3) => (value === null ? "?" : value.toFixed(digits));
      const style = { head: [], border: [] };
      const moves = new Table({
        head: ["workload", "from", "to", "reason", "mode", "result", "blackout s", "client gap s", "kept", "MB"],
        style,
      });
      for (const move of summary.moves) {
        moves.push([
          move.workload,
          move.from,
          move.to,
          move.reason,
          move.mode ?? "?",
          move.result ?? "?",
          number(move.blackoutSeconds),
          number(move.clientGapSeconds),
          move.connectionKept ? "yes" : "NO",
          number(move.bytes / 1e6, 1),
        ]);
      }
      const clients = new Table({ head: ["client of", "requests", "wrong answers", "resets", "connection kept", "longest gap s"], style });
      for (const client of summary.clients) {
        clients.push([
          client.workload,
          client.requests,
          client.wrongAnswers,
          client.resets,
          client.connectionKept ? "yes" : "NO",
          number(client.longestGapSeconds),
        ]);
      }
      out.write(`${moves.toString()}\n${clients.toString()}\n`);
      out.write(`imbalance ${number(summary.imbalanceBefore)} -> ${number(summary.imbalanceAfter)}; `);
      out.write(`${summary.drain.node} emptied in ${number(summary.drain.seconds, 1)} s, ${summary.drain.left} left; `);
      out.write(`${summary.leftovers.length} leftovers; ${number(summary.wallSeconds, 1)} s in all\n`);
      for (const failure of summary.failures) out.write(`NOT OK: ${failure}\n`);
      out.write(summary.ok ? "OK: levelled, drained, and no client noticed more than a pause\n" : "");
    },
  };
}
