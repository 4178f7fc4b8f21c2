import type { MigrationRecord } from "../../../platform/migration-record.js";
import { ago, bytes, duration, standing, sumBytes } from "../../cli/words.js";
import { PHASE_WORDS, type Phase } from "../../timeline.js";
import { Progress } from "./progress.js";
import { Timeline, TimelineDetails } from "./timeline.js";

interface Props {
  readonly migrations: readonly MigrationRecord[];
  /** False: that there are none is not known. */
  readonly isRead: boolean;
  readonly now: number;
}

export function MigrationList({ migrations, isRead, now }: Props) {
  return (
    <section aria-labelledby="moves-title">
      <h2 id="moves-title">Moves</h2>
      {migrations.length === 0 ? (
        <p class="empty">{isRead ? "Nothing has been moved yet." : "reading …"}</p>
      ) : (
        <>
          <p class="legend">
            The workload{" "}
            {(Object.keys(PHASE_WORDS) as Phase[]).map((phase) => (
              <span key={phase}>
                <span class={`swatch ${phase}`} aria-hidden="true" /> {PHASE_WORDS[phase]}
              </span>
            ))}
          </p>
          <ol class="migrations">
            {migrations.map((record) => (
              <Migration key={record.id} record={record} now={now} />
            ))}
          </ol>
        </>
      )}
    </section>
  );
}

function Migration({ record, now }: { record: MigrationRecord; now: number }) {
  const state = record.result ?? "open";
  return (
    <li class={`migration ${state}`} data-testid={`migration-${record.id}`}>
      <div class="migration-head">
        <strong>{record.name}</strong>
        <span class="route">
          {record.from} <span aria-hidden="true">→</span>
          <span class="unseen"> to </span> {record.to}
        </span>
        <span class={`state ${state}`}>{standing(record)}</span>
        {record.blackoutSeconds !== null && <span class="blackout">blackout {duration(record.blackoutSeconds)}</span>}
        {sumBytes(record) > 0 && <span class="muted">{bytes(sumBytes(record))}</span>}
        <span class="muted" title={record.modeBecause ?? ""}>
          {record.modeUsed ?? record.mode}
          {record.rounds.length > 0 && `, ${record.rounds.length} rounds`}
        </span>
        <Progress record={record} />
        <span class="when muted">
          {record.closedAt === null
            ? `begun ${ago(record.createdAt, now)}`
            : `took ${duration(record.closedAt - record.createdAt)}, ${ago(record.closedAt, now)}`}
        </span>
      </div>
      <Timeline record={record} now={now} />
      <p class="because">
        {record.reason}: {record.because}
        {record.errorCode !== null && (
          <span class="error">
            {" "}
            {record.errorCode}: {record.errorMessage}
          </span>
        )}
      </p>
      <TimelineDetails record={record} now={now} />
    </li>
  );
}
