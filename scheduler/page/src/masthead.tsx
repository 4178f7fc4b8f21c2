import type { StatusAnswer } from "../../api-shapes.js";
import { duration, percent, plural } from "../../cli/words.js";
import type { OperatorAction } from "./operator-action.js";

/** Two ticks may go missing before the page stops claiming to be live. */
const TICKS_MISSED = 3;
const LEAST_SECONDS = 8;

const MODES: Readonly<Record<string, string>> = {
  observe: "plans, moves nothing by itself",
  approve: "waits for an operator's yes",
  auto: "acts by itself",
};

interface Props {
  readonly status: StatusAnswer | null;
  readonly heardAt: number | null;
  readonly now: number;
  readonly onAction: (action: OperatorAction) => void;
}

export function Masthead({ status, heardAt, now, onAction }: Props) {
  const silentSeconds = heardAt === null ? null : Math.max(0, now - heardAt / 1000);
  const patience = Math.max(LEAST_SECONDS, TICKS_MISSED * (status?.tickSeconds ?? 0));
  const isStale = silentSeconds !== null && silentSeconds > patience;
  const connection = silentSeconds === null ? "connecting" : isStale ? "stale" : "live";
  return (
    <header class="masthead">
      <div class="masthead-row">
        <h1>
          <img src="/keel.svg" alt="" width="28" height="28" />
          Evenkeel
        </h1>
        <span class={`connection ${connection}`} data-testid="connection" data-connection={connection}>
          {connection === "live" ? "live" : connection === "connecting" ? "connecting …" : "not live"}
        </span>
        {status !== null && <Facts status={status} />}
        {status !== null && (
          <button type="button" class="quiet" onClick={() => onAction({ kind: status.pause === null ? "pause" : "resume" })}>
            {status.pause === null ? "Pause" : "Resume"}
          </button>
        )}
      </div>
      {isStale && (
        <p class="stale-banner" role="alert">
          The scheduler has been silent for {duration(Math.round(silentSeconds))}. What you see is how the fleet was then; trying again.
        </p>
      )}
      {status !== null && status.leader.holder === null && (
        <p class="stale-banner" role="alert">
          No scheduler leads at this moment: nothing is decided and nothing is moved.
        </p>
      )}
      {status?.pause && (
        <p class="window-banner" role="status">
          Paused for {duration(Math.max(0, Math.round(now - status.pause.since)))} ({status.pause.reason}): nothing is moved but what
          operators ask for.
        </p>
      )}
      {status?.openWindows.map(({ action, node, until }) => (
        <p class="window-banner" key={`${action} ${node}`}>
          Window open: {action} {node ?? "in the whole fleet"} until {new Date(until * 1000).toLocaleTimeString()}
        </p>
      ))}
    </header>
  );
}

function Facts({ status }: { status: StatusAnswer }) {
  const { leader, mode, imbalance, migrationsOpen } = status;
  return (
    <dl class="facts">
      <div title={MODES[mode]}>
        <dt>mode</dt>
        <dd>{mode}</dd>
      </div>
      <div title="Standard deviation of the nodes' CPU use">
        <dt>imbalance</dt>
        <dd>{percent(imbalance)}</dd>
      </div>
      <div>
        <dt>fleet</dt>
        <dd>
          {plural(
            Object.values(status.nodes).reduce((sum, count) => sum + count, 0),
            "node",
          )}
          , {plural(status.workloads, "workload")}
        </dd>
      </div>
      <div>
        <dt>moving</dt>
        <dd>{migrationsOpen}</dd>
      </div>
      <div title={leader.holder ?? ""}>
        <dt>term</dt>
        <dd>{leader.term}</dd>
      </div>
    </dl>
  );
}
