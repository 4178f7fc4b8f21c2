import Table from "cli-table3";
import type { Score } from "./meters.js";

export function scoreTable(scores: Readonly<Record<string, Score>>): string {
  const table = new Table({
    head: ["policy", "kWh", "SLATAH %", "PDM %", "SLAV e-5", "ESV e-3", "migrations"],
    style: { head: [], border: [], compact: true },
  });
  for (const [name, score] of Object.entries(scores)) {
    table.push([
      name,
      score.kWh.toFixed(2),
      (score.slatah * 100).toFixed(2),
      (score.pdm * 100).toFixed(4),
      (score.slav * 1e5).toFixed(3),
      (score.esv * 1e3).toFixed(3),
      score.migrations,
    ]);
  }
  return table.toString();
}
