import type { MigrationRecord } from "../../../platform/migration-record.js";
import { bytes, duration } from "../../cli/words.js";
import { blackoutSpan, explainBlackout, PHASE_WORDS, readTimeline, type Span, type TimelinePart } from "../../timeline.js";

interface Props {
  readonly record: MigrationRecord;
  readonly now: number;
}

/** The stages as one bar on a scale of time, and under it when the workload stood still. */
export function Timeline({ record, now }: Props) {
  const parts = readTimeline(record, now);
  const last = parts.at(-1);
  const whole = last === undefined ? 0 : last.start + last.seconds;
  const span = blackoutSpan(record, now);
  const words = parts.map(({ stage, seconds }) => `${stage} ${duration(seconds)}`).join(", ");
  return (
    <>
      <div
        class={record.closedAt === null ? "timeline open" : "timeline"}
        role="img"
        aria-label={span === null ? words : `${words}; ${stillWords(record, span)}`}
      >
        {parts.map((part, index) => (
          <span
            key={`${part.stage} ${index}`}
            class={`part ${part.phase}`}
            style={place(part.start, part.seconds, whole)}
            title={`${part.stage}: ${duration(part.seconds)}${sent(part)}, the workload ${PHASE_WORDS[part.phase]}`}
          >
            <span class="part-name">{part.stage}</span>
          </span>
        ))}
        {span !== null && whole > 0 && <span class="still" style={place(span.start, span.end - span.start, whole)} />}
      </div>
      {span !== null && whole > 0 && (
        <p class="still-words" style={beside(span, whole)} aria-hidden="true">
          {stillWords(record, span)}
        </p>
      )}
    </>
  );
}

/** What each stage took and sent, and the blackout seen closer. */
export function TimelineDetails({ record, now }: Props) {
  const parts = readTimeline(record, now);
  const within = explainBlackout(record);
  const whole = within.reduce((sum, { seconds }) => sum + seconds, 0);
  return (
    <details class="stages">
      <summary>Stages</summary>
      {within.length > 0 && (
        <>
          <p class="muted">In the blackout, {duration(record.blackoutSeconds)}:</p>
          <div
            class="closer"
            role="img"
            aria-label={within.map(({ name, seconds }) => `${name} ${Math.round(seconds * 1000)} ms`).join(", ")}
          >
            {within.map(({ name, seconds }) => (
              <span key={name} class="closer-part" style={{ flexGrow: (seconds / whole) * 1000 }} title={`${name}: ${duration(seconds)}`}>
                <span class="part-name">
                  {name} {Math.round(seconds * 1000)}
                </span>
              </span>
            ))}
          </div>
        </>
      )}
      <table class="stage-table">
        <thead>
          <tr>
            <th>Stage</th>
            <th>After</th>
            <th>Took</th>
            <th>Sent</th>
          </tr>
        </thead>
        <tbody>
          {parts.map((part, index) => (
            <tr key={`${part.stage} ${index}`}>
              <td>
                <span class={`swatch ${part.phase}`} aria-hidden="true" /> {part.stage}
              </td>
              <td>{duration(part.start)}</td>
              <td>{duration(part.seconds)}</td>
              <td>{sent(part).slice(2)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

function sent(part: TimelinePart): string {
  return Object.entries(part.bytes)
    .map(([kind, count]) => `, ${bytes(count)} ${kind}`)
    .join("");
}

function stillWords(record: MigrationRecord, span: Span): string {
  const seconds = duration(span.end - span.start);
  const expected = record.predictedBlackoutSeconds === null ? "" : `, ${duration(record.predictedBlackoutSeconds)} expected`;
  if (record.blackoutSeconds !== null) return `stood still for ${seconds}${expected}`;
  return record.closedAt === null ? `has stood still for ${seconds}${expected}` : `stood still for at most ${seconds}`;
}

/** Position along a bar of which the whole length is `whole` seconds. */
function place(start: number, seconds: number, whole: number) {
  const percent = (value: number) => `${whole === 0 ? 0 : (100 * value) / whole}%`;
  return { left: percent(start), width: percent(seconds) };
}

/** Words under the mark: to its right, or to its left where it is in the right half. */
function beside(span: Span, whole: number) {
  const middle = (span.start + span.end) / 2 / whole;
  return middle < 0.5
    ? { paddingLeft: `${(100 * span.start) / whole}%` }
    : { paddingRight: `${100 - (100 * span.end) / whole}%`, textAlign: "right" as const };
}
