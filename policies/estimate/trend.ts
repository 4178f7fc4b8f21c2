import type { Expectation, Reading } from "./series.js";

/** With fewer readings a line through them says nothing. */
const LEAST_READINGS = 5;

/**
 * Least squares through the readings, carried on to `at`; the error is that of a new reading there and grows with the
 * distance (Draper and Smith, Applied Regression Analysis, 1.4). Null for too few readings.
 */
export function trendAt(readings: readonly Reading[], at: number): Expectation | null {
  const count = readings.length;
  if (count < LEAST_READINGS) return null;
  const meanAt = readings.reduce((sum, reading) => sum + reading.at, 0) / count;
  const mean = readings.reduce((sum, reading) => sum + reading.value, 0) / count;
  let spread = 0;
  let common = 0;
  for (const reading of readings) {
    spread += (reading.at - meanAt) ** 2;
    common += (reading.at - meanAt) * (reading.value - mean);
  }
  if (spread === 0) return null;
  const slope = common / spread;
  const lineAt = (when: number) => mean + slope * (when - meanAt);
  const residues = readings.reduce((sum, reading) => sum + (reading.value - lineAt(reading.at)) ** 2, 0);
  const deviation = Math.sqrt(residues / (count - 2));
  return { value: lineAt(at), error: deviation * Math.sqrt(1 + 1 / count + (at - meanAt) ** 2 / spread) };
}
