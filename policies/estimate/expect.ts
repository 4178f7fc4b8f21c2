import type { NodePoint } from "../types.js";
import { dailyAt, isOfEarlierDay } from "./daily.js";
import type { Expectation, Reading } from "./series.js";
import { trendAt } from "./trend.js";

export interface Forecast extends Expectation {
  readonly method: "daily" | "trend";
}

/** What is expected at a later time: by the daily pattern or the trend, whichever claims the smaller error. Null: the past is too short. */
export function expectAt(readings: readonly Reading[], at: number, trendSeconds: number): Forecast | null {
  const daily = dailyAt(readings, at);
  const newest = readings.at(-1)?.at ?? 0;
  const trend = trendAt(
    readings.filter((reading) => newest - reading.at <= trendSeconds),
    at,
  );
  if (daily !== null && (trend === null || daily.error <= trend.error)) return { ...daily, method: "daily" };
  return trend === null ? null : { ...trend, method: "trend" };
}

/** Those that can tell anything to `expectAt`: in between they are too old for the trend, and not of an earlier day. */
export function tellingPoints(points: readonly NodePoint[], at: number, trendSeconds: number): NodePoint[] {
  const newest = points.at(-1)?.at ?? 0;
  return points.filter((point) => newest - point.at <= trendSeconds || isOfEarlierDay(point.at, at));
}
