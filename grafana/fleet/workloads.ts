import type { DashboardBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { lines } from "../panels.js";

export function addWorkloads(dashboard: DashboardBuilder): void {
  dashboard
    .withPanel(
      lines({
        title: "Workloads per node",
        about: "Those whose memory is known.",
        queries: [{ expr: 'count by (node) (evenkeel_workload_memory_bytes{node=~"$node"})', legend: "{{node}}" }],
        span: 8,
      }),
    )
    .withPanel(
      lines({
        title: "Busiest workloads",
        about: "Ten at each moment; a workload keeps its name when it moves.",
        queries: [{ expr: 'topk(10, sum by (name, node) (evenkeel_workload_cpu_cores{node=~"$node"}))', legend: "{{name}} on {{node}}" }],
        unit: "short",
        span: 8,
      }),
    )
    .withPanel(
      lines({
        title: "Largest workloads",
        about: "Ten at each moment, by working set.",
        queries: [
          { expr: 'topk(10, sum by (name, node) (evenkeel_workload_memory_bytes{node=~"$node"}))', legend: "{{name}} on {{node}}" },
        ],
        unit: "bytes",
        span: 8,
      }),
    );
}
