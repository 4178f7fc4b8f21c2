import type { MigrationRecord } from "../../platform/migration-record.js";
import { blackoutSpan, explainBlackout, PHASE_WORDS, type Phase, readTimeline } from "../timeline.js";
import { bytes, duration } from "./words.js";

/** What a bar is drawn with; the blackout's stages must be told from the others without colours too. */
const FILL: Readonly<Record<Phase, string>> = { waiting: "░", running: "▒", stopped: "█", tidying: "▓" };

export interface BarLine {
  readonly name: string;
  readonly bar: string;
  readonly phase: Phase | "blackout";
  readonly took: string;
  readonly remark: string;
}

/** A migration's stages as bars below each other on one scale of time, `width` letters wide, and the blackout marked under them. */
export function timelineBars(record: MigrationRecord, now: number, width: number): BarLine[] {
  const parts = readTimeline(record, now);
  const last = parts.at(-1);
  const whole = last === undefined ? 0 : last.start + last.seconds;
  const column = (seconds: number) => (whole === 0 ? 0 : Math.min(width - 1, Math.floor((seconds / whole) * width)));
  const stretch = (start: number, seconds: number) => {
    const from = column(start);
    const to = Math.max(from + 1, whole === 0 ? 1 : Math.round(((start + seconds) / whole) * width));
    return { from, length: Math.min(to, width) - from };
  };
  const lines: BarLine[] = parts.map(({ stage, phase, start, seconds, bytes: sent }) => {
    const { from, length } = stretch(start, seconds);
    const amounts = Object.entries(sent).map(([kind, count]) => `${bytes(count)} ${kind}`);
    return { name: stage, bar: " ".repeat(from) + FILL[phase].repeat(length), phase, took: duration(seconds), remark: amounts.join(", ") };
  });
  const span = blackoutSpan(record, now);
  if (span !== null) {
    const { from, length } = stretch(span.start, span.end - span.start);
    const mark = length === 1 ? "╵" : `└${"─".repeat(length - 2)}┘`;
    const certainty = record.blackoutSeconds !== null ? PHASE_WORDS.stopped : record.closedAt !== null ? "at most" : "so far";
    const expected = record.predictedBlackoutSeconds === null ? [] : [`expected ${duration(record.predictedBlackoutSeconds)}`];
    const remark = [certainty, ...expected].join(", ");
    lines.push({ name: "blackout", bar: " ".repeat(from) + mark, phase: "blackout", took: duration(span.end - span.start), remark });
  }
  return lines;
}

/** One line that says where the blackout's time went; empty while that is not known. */
export function blackoutLine(record: MigrationRecord): string {
  return explainBlackout(record)
    .map(({ name, seconds }) => `${name} ${Math.round(seconds * 1000)} ms`)
    .join(" · ");
}
