import type { StatusAnswer } from "../../api-shapes.js";
import { duration, percent, plural } from "../../cli/words.js";
import { type Heard, judgeFreshness } from "./judge-freshness.js";
import type { OperatorAction } from "./operator-action.js";

const MODES: Readonly<Record<string, string>> = {
  observe: "plans, moves nothing by itself",
  approve: "waits for an operator's yes",
  auto: "acts by itself",
};

interface Props {
  readonly status: StatusAnswer | null;
  readonly heard: Heard;
  readonly now: number;
  readonly onAction: (action: OperatorAction) => void;
}

export function Masthead({ status, heard, now, onAction }: Props) {
  const { connection, ageSeconds, isHeard } = judgeFreshness(heard, status?.tickSeconds ?? 0, now);
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
      {connection === "stale" && ageSeconds !== null && (
        <p class="stale-banner" role="alert">
          The scheduler has not {isHeard ? "answered" : "been heard"} for {duration(Math.round(ageSeconds))}. What you see is how the fleet
          was then; trying again.
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
