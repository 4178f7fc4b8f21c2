import { expect } from "chai";
import type { MigrationRecord } from "../../../platform/migration-record.js";

/** policies/modes/choose-mode.ts: forecasts closer than this are the same. */
const NEAR_SECONDS = 0.05;

/** That of the modes which could be had a move took the one of which its record expects the shortest blackout, and that the record holds what came of it. */
export function expectForetold(record: MigrationRecord, modes: readonly string[]): void {
  const { forecast, modeUsed, modeBecause, predictedBlackoutSeconds, blackoutSeconds } = record;
  if (forecast === null) throw new Error(`${record.id} has no forecast`);
  const words = JSON.stringify(record);
  expect([modeUsed, modeBecause, predictedBlackoutSeconds], words).to.deep.equal([
    forecast.mode,
    forecast.because,
    forecast.blackoutSeconds,
  ]);
  expect(
    forecast.others.map(({ mode }) => mode),
    words,
  ).to.deep.equal(modes);
  const open = forecast.others.filter(({ whyNot }) => whyNot === null);
  expect(
    open.map(({ mode }) => mode),
    words,
  ).to.include(modeUsed);
  for (const other of open) expect(forecast.blackoutSeconds, words).to.be.at.most(other.blackoutSeconds + NEAR_SECONDS);
  expect(blackoutSeconds, words).to.be.greaterThan(0);
}
