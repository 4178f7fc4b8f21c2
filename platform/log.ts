import { type Logger, pino } from "pino";

export type { Logger };

/** A JSON log on standard error. Level from EVENKEEL_LOG_LEVEL (pino's names), `info` by default. */
export function makeLog(part: string, fields: Record<string, unknown> = {}): Logger {
  return pino(
    { level: process.env["EVENKEEL_LOG_LEVEL"] ?? "info", base: { part, ...fields }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination(2),
  );
}
