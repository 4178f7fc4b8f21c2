import { expect } from "chai";
import type { ClientReport } from "../../../lab/clients/report.js";

/** A client that has had every answer right, over the connection that it began with. What it saw stands in the failure. */
export function expectKept(report: ClientReport): void {
  const { gaps: _, ...seen } = report;
  expect(report, JSON.stringify(seen)).to.include({ wrongAnswers: 0, resets: 0, connectionKept: true });
}
