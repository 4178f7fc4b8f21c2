import type { Expectation, Reading } from "./series.js";

const DAY_SECONDS = 86_400;
/** Readings this near to the time of day count as of that time. */
const NEAR_SECONDS = 900;
const LEAST_DAYS = 2;
/** As far back as the collector keeps. A node that is switched off at this hour every day adds no reading that would push older ones out. */
const MOST_DAYS = 7;

/** What the days of a week before showed around the same time of day: the mean of the days, and how they differ. Null before two days have. */
export function dailyAt(readings: readonly Reading[], at: number): Expectation | null {
  const days = new Map<number, { sum: number; count: number }>();
  for (const reading of readings) {
    const day = Math.round((at - reading.at) / DAY_SECONDS);
    if (day < 1 || day > MOST_DAYS || Math.abs(at - day * DAY_SECONDS - reading.at) > NEAR_SECONDS) continue;
    const entry = days.get(day) ?? { sum: 0, count: 0 };
    days.set(day, { sum: entry.sum + reading.value, count: entry.count + 1 });
  }
  if (days.size < LEAST_DAYS) return null;
  const means = [...days.values()].map(({ sum, count }) => sum / count);
  const value = means.reduce((sum, mean) => sum + mean, 0) / means.length;
  const variance = means.reduce((sum, mean) => sum + (mean - value) ** 2, 0) / (means.length - 1);
  return { value, error: Math.sqrt(variance * (1 + 1 / means.length)) };
}

/** Whether a reading may be near the same time of day, some days before. */
export function isOfEarlierDay(readingAt: number, at: number): boolean {
  return at - readingAt >= DAY_SECONDS - NEAR_SECONDS;
}
