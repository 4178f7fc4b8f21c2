import type { MigrationRecord } from "../../../platform/migration-record.js";
import type { NodeAnswer, WorkloadAnswer } from "../../api-shapes.js";
import { ago, bytes, cores, duration, percent, standing } from "../../cli/words.js";
import type { DrainReport } from "../../fleet/drain-report.js";
import { HistoryChart } from "./history-chart.js";
import { LoadBar } from "./load-bar.js";
import type { OperatorAction } from "./operator-action.js";
import { Progress } from "./progress.js";

/** A sign besides the colour, for those who do not see it. */
const SIGNS: Readonly<Record<NodeAnswer["state"], string>> = {
  level: "●",
  warming: "▲",
  overloaded: "▲",
  suspect: "!",
  draining: "▽",
  drained: "○",
  asleep: "☾",
  waking: "☀",
  unknown: "?",
};

interface Props {
  readonly node: NodeAnswer;
  readonly workloads: readonly WorkloadAnswer[];
  readonly arriving: readonly MigrationRecord[];
  readonly open: readonly MigrationRecord[];
  readonly now: number;
  readonly onAction: (action: OperatorAction) => void;
}

export function NodeCard({ node, workloads, arriving, open, now, onAction }: Props) {
  const isFlagged = node.maintenance.length > 0;
  const isCordoned = node.cordon.length > 0;
  return (
    <article class={`node ${node.state}`} data-testid={`node-${node.id}`} data-state={node.state} aria-label={`node ${node.id}`}>
      <header>
        <h3>{node.id}</h3>
        <span class={`state ${node.state}`}>
          <span aria-hidden="true">{SIGNS[node.state]}</span> {node.state}
        </span>
        <button
          type="button"
          class="quiet"
          onClick={() =>
            onAction(isFlagged ? { kind: "undrain", node: node.id, departed: node.drain?.moved ?? 0 } : { kind: "drain", node: node.id })
          }
          aria-label={isFlagged ? `Return ${node.id} to service` : `Drain ${node.id}`}
        >
          {isFlagged ? "Return to service" : "Drain"}
        </button>
        <button
          type="button"
          class="quiet"
          onClick={() => onAction({ kind: isCordoned ? "uncordon" : "cordon", node: node.id })}
          aria-label={isCordoned ? `Uncordon ${node.id}` : `Cordon ${node.id}`}
        >
          {isCordoned ? "Uncordon" : "Cordon"}
        </button>
      </header>
      <LoadBar kind="cpu" ratio={node.cpuRatio} words={`${cores(node.cpuUsedCores)} of ${cores(node.cpuCapacityCores)} cores`} />
      <LoadBar kind="memory" ratio={node.memoryRatio} words={`${bytes(node.memoryUsedBytes)} of ${bytes(node.memoryCapacityBytes)}`} />
      {node.history !== undefined && node.history.length > 1 && <HistoryChart history={node.history} name={node.id} now={now} />}
      {node.maintenance.map(({ source, reason, deadline }) => (
        <p class="maintenance" key={source}>
          Maintenance ({source}): {reason}
          {deadline !== null && <Deadline deadline={deadline} now={now} />}
        </p>
      ))}
      {node.cordon.map(({ source, reason }) => (
        <p class="maintenance" key={`cordon ${source}`}>
          Cordoned ({source}): {reason}
        </p>
      ))}
      {node.drain !== null && <DrainProgress drain={node.drain} now={now} />}
      <ul class="chips" aria-label={`workloads on ${node.id}`}>
        {workloads.map((workload) => (
          <WorkloadChip
            key={workload.id}
            workload={workload}
            isOwn={workload.node === node.id}
            migration={open.find((record) => record.workload === workload.id)}
          />
        ))}
        {arriving.map((record) => (
          <li key={record.id} class="chip ghost" data-ghost={record.workload}>
            <span class="chip-name">{record.name}</span>
            <span class="chip-detail">arriving: {standing(record)}</span>
            <Progress record={record} />
          </li>
        ))}
        {workloads.length + arriving.length === 0 && <li class="empty">{node.state === "unknown" ? "not known" : "nothing runs here"}</li>}
      </ul>
      <footer>
        <span class="because">{node.because}</span>
        <span class="seen">seen {ago(node.lastSeenAt, now)}</span>
      </footer>
    </article>
  );
}

function Deadline({ deadline, now }: { deadline: number; now: number }) {
  const isPast = now > deadline;
  return (
    <strong class={isPast ? "late" : ""}>
      {" "}
      {isPast ? "deadline passed" : `empty by ${new Date(deadline * 1000).toLocaleTimeString()}`}
    </strong>
  );
}

function DrainProgress({ drain, now }: { drain: DrainReport; now: number }) {
  const total = drain.moved + drain.remaining.length;
  const blocked = drain.remaining.filter(({ status }) => status === "blocked").length;
  if (drain.state === "unknown") return <p class="drain">{drain.moved} moved, what is left is not known</p>;
  if (total === 0) return null;
  return (
    <p class="drain">
      <progress value={drain.moved} max={total} aria-label="workloads that have left" /> {drain.moved} of {total} moved
      {drain.expectedEmptyAt !== null && drain.state !== "drained" && `, about ${duration(Math.max(1, drain.expectedEmptyAt - now))} to go`}
      {blocked > 0 && <strong class="late">, {blocked} cannot move</strong>}
    </p>
  );
}

interface ChipProps {
  readonly workload: WorkloadAnswer;
  /** False for a copy that should not be there. */
  readonly isOwn: boolean;
  readonly migration: MigrationRecord | undefined;
}

function WorkloadChip({ workload, isOwn, migration }: ChipProps) {
  const inConflict = workload.conflict.length > 0;
  const detail = inConflict
    ? `runs on ${workload.conflict.join(" and ")} at once`
    : migration !== undefined
      ? `moving: ${standing(migration)}`
      : workload.state === "silent"
        ? "last known here"
        : `${cores(workload.cpuUsedCores)} cores, ${bytes(workload.memoryUsedBytes)}`;
  const kind = inConflict ? "conflict" : migration !== undefined ? "moving" : workload.constraints.mode === "never" ? "fixed" : "";
  const { cpuUsedCores, cpuLimitCores } = workload;
  const share = cpuUsedCores === null || cpuLimitCores === null ? "" : `, ${percent(cpuUsedCores / cpuLimitCores)} of its limit`;
  return (
    <li
      class={`chip ${kind}`}
      data-workload={isOwn ? workload.id : undefined}
      data-node={workload.node}
      title={`${workload.image}${share}`}
    >
      <span class="chip-name">
        {workload.name}
        {kind === "fixed" && (
          <span class="pin" title="io.evenkeel.mode forbids moves">
            {" "}
            fixed
          </span>
        )}
      </span>
      <span class="chip-detail">{detail}</span>
    </li>
  );
}
