import type { DashboardBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { bars, lines } from "../panels.js";

export function addCollectors(dashboard: DashboardBuilder): void {
  dashboard
    .withPanel(
      lines({
        title: "Time of a reading",
        about: "95th percentile for each node.",
        queries: [
          {
            expr: 'histogram_quantile(0.95, sum by (le, node) (rate(evenkeel_collector_sample_duration_seconds_bucket{node=~"$node"}[$__rate_interval])))',
            legend: "{{node}}",
          },
        ],
        unit: "s",
        span: 8,
      }),
    )
    .withPanel(
      bars({
        title: "Failed readings",
        about: "By what could not be read. Such a value is unknown, never zero.",
        queries: [
          {
            expr: 'sum by (node, source) (increase(evenkeel_collector_failed_reads_total{node=~"$node"}[$__rate_interval]))',
            legend: "{{node}} {{source}}",
          },
        ],
        span: 8,
      }),
    )
    .withPanel(
      bars({
        title: "Samples that did not reach Redis",
        about: "For longer than the sample's lifetime, and the node becomes unknown.",
        queries: [
          { expr: 'sum by (node) (increase(evenkeel_collector_push_failures_total{node=~"$node"}[$__rate_interval]))', legend: "{{node}}" },
        ],
        span: 8,
      }),
    );
}
