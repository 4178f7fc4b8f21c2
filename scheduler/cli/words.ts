import type { MigrationRecord } from "../../platform/migration-record.js";
import type { MoveCost } from "../../policies/types.js";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** How things are said to a person. Unknown is always a question mark, never a zero. */
export const UNKNOWN = "?";

export function percent(ratio: number | null): string {
  return ratio === null ? UNKNOWN : `${Math.round(ratio * 100)} %`;
}

export function cores(value: number | null): string {
  return value === null ? UNKNOWN : value.toFixed(2);
}

export function bytes(value: number | null): string {
  if (value === null) return UNKNOWN;
  let rest = value;
  let unit = 0;
  while (rest >= 1024 && unit < UNITS.length - 1) {
    rest /= 1024;
    unit++;
  }
  return `${unit === 0 || rest >= 100 ? Math.round(rest) : rest.toFixed(1)} ${UNITS[unit]}`;
}

/** A duration: `0.25 s`, `42 s`, `7 min 5 s`, `3 h 10 min`, `2 d 4 h`. */
export function duration(seconds: number | null): string {
  if (seconds === null) return UNKNOWN;
  if (seconds < 10 && !Number.isInteger(seconds)) return `${seconds.toFixed(2)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`;
}

/** What the other modes that a workload's label allows are expected to take: `stopcopy 3.18 s; precopy 0.60 s, but …`; empty where there is none. */
export function otherModes({ mode, modes = [] }: MoveCost): string {
  return modes
    .filter((other) => other.mode !== mode)
    .map(({ mode: other, blackoutSeconds, whyNot }) => `${other} ${duration(blackoutSeconds)}${whyNot === null ? "" : `, but ${whyNot}`}`)
    .join("; ");
}

export function ago(at: number | null, now: number): string {
  if (at === null) return "never";
  const seconds = Math.max(0, Math.round(now - at));
  if (seconds === 0) return "just now";
  return seconds < 60 ? `${seconds} s ago` : `${duration(seconds)} ago`;
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

export function sumBytes(record: MigrationRecord): number {
  return Object.values(record.bytes).reduce((sum, value) => sum + value, 0);
}

/** How far the present stage is and how fast, as far as the executor says; empty when it says nothing. */
export function howFar(record: MigrationRecord): string[] {
  const { doneBytes, totalBytes, bytesPerSecond, dirtyBytesPerSecond, etaSeconds, round, note } = record.progress ?? {};
  const words: string[] = [];
  if (note !== undefined) words.push(note);
  if (round !== undefined) words.push(`round ${round}`);
  if (doneBytes !== undefined) words.push(totalBytes === undefined ? bytes(doneBytes) : `${bytes(doneBytes)} of ${bytes(totalBytes)}`);
  if (bytesPerSecond !== undefined) words.push(`${bytes(bytesPerSecond)}/s`);
  if (dirtyBytesPerSecond !== undefined) words.push(`${bytes(dirtyBytesPerSecond)}/s changing`);
  if (etaSeconds !== undefined) words.push(`${duration(etaSeconds)} left`);
  return words;
}

/** Where a migration stands, in a word or two. */
export function standing(record: MigrationRecord): string {
  if (record.result !== null) return record.result;
  return record.outcome === "aborted" ? "being undone" : record.stage;
}

const IN_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds of `90`, `90s`, `10m`, `1h30m`, `2d`; null when it is none of these. */
export function parseDuration(text: string): number | null {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) > 0 ? Number(text) : null;
  if (!/^(\d+(\.\d+)?[smhd])+$/.test(text)) return null;
  let seconds = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)([smhd])/g)) seconds += Number(amount) * IN_SECONDS[unit!]!;
  return seconds > 0 ? seconds : null;
}
