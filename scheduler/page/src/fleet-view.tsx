import { useRef } from "preact/hooks";
import type { MigrationRecord } from "../../../platform/migration-record.js";
import type { WorkloadAnswer } from "../../api-shapes.js";
import { FlightLayer } from "./flight-layer.js";
import { NodeCard } from "./node-card.js";
import type { OperatorAction } from "./operator-action.js";
import { useChipMotion } from "./use-chip-motion.js";
import type { FleetNow } from "./watch-fleet.js";

interface Props {
  readonly fleet: FleetNow;
  readonly now: number;
  readonly onAction: (action: OperatorAction) => void;
}

export function FleetView({ fleet, now, onAction }: Props) {
  const area = useRef<HTMLDivElement>(null);
  const open = fleet.migrations.filter(({ closedAt }) => closedAt === null);
  useChipMotion(area, fleet.workloads);
  const on = groupByNode(fleet.workloads);
  return (
    <section id="fleet" aria-labelledby="fleet-title">
      <h2 id="fleet-title">Fleet</h2>
      {fleet.nodes.length === 0 && (
        <p class="empty">{fleet.readAt === null ? "reading …" : "No node has reported yet. Start a collector on each Docker host."}</p>
      )}
      <div class="fleet" ref={area}>
        {fleet.nodes.map((node) => (
          <NodeCard
            key={node.id}
            node={node}
            workloads={on.get(node.id) ?? []}
            arriving={arrivals(open, node.id, fleet.workloads)}
            open={open}
            now={now}
            onAction={onAction}
          />
        ))}
        <FlightLayer area={area} open={open} workloads={fleet.workloads} />
      </div>
    </section>
  );
}

/** Migrations whose workload is not yet shown on the node that takes it. */
function arrivals(open: readonly MigrationRecord[], node: string, workloads: readonly WorkloadAnswer[]): MigrationRecord[] {
  return open.filter((record) => record.to === node && workloads.find(({ id }) => id === record.workload)?.node !== node);
}

/** A workload in conflict stands on every node that runs a copy. */
function groupByNode(workloads: readonly WorkloadAnswer[]): Map<string, WorkloadAnswer[]> {
  const groups = new Map<string, WorkloadAnswer[]>();
  for (const workload of workloads) {
    for (const node of new Set([workload.node, ...workload.conflict])) groups.set(node, [...(groups.get(node) ?? []), workload]);
  }
  return groups;
}
