import { type DashboardBuilder, RowBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { newDashboard } from "./new-dashboard.js";
import { bars, heatmap, lines, stat } from "./panels.js";
import { bucketBound, fromLeader } from "./query.js";

/** Migrations are rare: shorter windows would mostly hold none. */
const WINDOW = "1h";
const ON_NODE = 'node=~"$node"';

export function migrationsDashboard(): DashboardBuilder {
  const dashboard = newDashboard(
    "evenkeel-migrations",
    "Evenkeel: Migrations",
    "How long were workloads paused, what failed, and where does the time go? `node` is the source.",
  );
  addNow(dashboard.withRow(new RowBuilder("Now, and since the executors started")));
  addBlackout(dashboard.withRow(new RowBuilder("Blackout: from freeze to resume")));
  addWork(dashboard.withRow(new RowBuilder("Work")));
  return dashboard;
}

function addNow(dashboard: DashboardBuilder): void {
  const ended = `sum(evenkeel_migrations_total{${ON_NODE}})`;
  const blackout = (suffix: string, more = "") => `sum(evenkeel_migration_blackout_seconds_${suffix}{${ON_NODE}${more}})`;
  dashboard
    .withPanel(
      stat({
        title: "Under way",
        about: "Migrations that leave a node at this moment.",
        queries: [{ expr: `sum(evenkeel_migrations_active{${ON_NODE}})` }],
      }),
    )
    .withPanel(
      stat({
        title: "Open",
        about: "Records not closed, queued ones included.",
        queries: [{ expr: fromLeader("evenkeel_migrations_open") }],
      }),
    )
    .withPanel(
      stat({
        title: "Succeeded",
        about: "Of all that ended.",
        // None that succeeded has no series: that is 0, and unknown only while none has ended.
        queries: [{ expr: `(sum(evenkeel_migrations_total{${ON_NODE},result="succeeded"}) or 0 * ${ended}) / ${ended}` }],
        unit: "percentunit",
      }),
    )
    .withPanel(
      stat({
        title: "Mean blackout",
        about: "Of all that succeeded.",
        queries: [{ expr: `${blackout("sum")} / ${blackout("count")}` }],
        unit: "s",
      }),
    )
    .withPanel(
      stat({
        title: "Within a second",
        about: "Share of migrations whose workload was paused for at most 1 s.",
        queries: [{ expr: `${blackout("bucket", `,${bucketBound(1)}`)} / ${blackout("count")}` }],
        unit: "percentunit",
      }),
    )
    .withPanel(
      stat({
        title: "Moved",
        about: "Bytes sent to destinations.",
        queries: [{ expr: `sum(evenkeel_migration_bytes_total{${ON_NODE}})` }],
        unit: "bytes",
      }),
    );
}

function addBlackout(dashboard: DashboardBuilder): void {
  const buckets = `evenkeel_migration_blackout_seconds_bucket{${ON_NODE}}`;
  const quantile = (share: number) => `histogram_quantile(${share}, sum by (le, mode) (increase(${buckets}[${WINDOW}])))`;
  dashboard
    .withPanel(
      lines({
        title: "Blackout by mode",
        about: "Median and 95th percentile over the last hour.",
        queries: [
          { expr: quantile(0.5), legend: "{{mode}} median" },
          { expr: quantile(0.95), legend: "{{mode}} p95" },
        ],
        unit: "s",
      }),
    )
    .withPanel(
      heatmap({
        title: "Every blackout",
        about: "How many fell into which bucket.",
        queries: [{ expr: `sum by (le) (increase(${buckets}[$__rate_interval]))` }],
      }),
    )
    .withPanel(
      lines({
        title: "Blackout by mode, since the executors started",
        about: "Steady figures for rare migrations.",
        queries: [
          { expr: `histogram_quantile(0.5, sum by (le, mode) (${buckets}))`, legend: "{{mode}} median" },
          { expr: `histogram_quantile(0.95, sum by (le, mode) (${buckets}))`, legend: "{{mode}} p95" },
        ],
        unit: "s",
      }),
    )
    .withPanel(
      lines({
        title: "Missed forecast",
        about: "Median difference between the blackout and the one predicted when the mode was chosen, since the executors started.",
        queries: [
          {
            expr: `histogram_quantile(0.5, sum by (le, mode) (evenkeel_migration_blackout_forecast_error_seconds_bucket{${ON_NODE}}))`,
            legend: "{{mode}} median",
          },
        ],
        unit: "s",
      }),
    )
    .withPanel(
      lines({
        title: "Mean time of each stage",
        about: "Over the last hour. Only freeze, transfer, restore and resume are felt by clients.",
        queries: [
          {
            expr: `sum by (stage) (increase(evenkeel_migration_stage_duration_seconds_sum{${ON_NODE}}[${WINDOW}])) / sum by (stage) (increase(evenkeel_migration_stage_duration_seconds_count{${ON_NODE}}[${WINDOW}]))`,
            legend: "{{stage}}",
          },
        ],
        unit: "s",
      }),
    );
}

function addWork(dashboard: DashboardBuilder): void {
  dashboard
    .withPanel(
      bars({
        title: "Ended, by result",
        about: "A failed migration leaves the workload running where it was.",
        queries: [{ expr: `sum by (result) (increase(evenkeel_migrations_total{${ON_NODE}}[$__rate_interval]))`, legend: "{{result}}" }],
        span: 8,
      }),
    )
    .withPanel(
      lines({
        title: "Total by reason and mode",
        about: "Since the executors started.",
        queries: [{ expr: `sum by (reason, mode) (evenkeel_migrations_total{${ON_NODE}})`, legend: "{{reason}}, {{mode}}" }],
        span: 8,
      }),
    )
    .withPanel(
      lines({
        title: "Failed and cancelled",
        about: "Since the executors started, by source node.",
        queries: [
          { expr: `sum by (node, result) (evenkeel_migrations_total{${ON_NODE},result!="succeeded"})`, legend: "{{node}} {{result}}" },
        ],
        span: 8,
      }),
    )
    .withPanel(
      lines({
        title: "Under way",
        about: "By source node.",
        queries: [{ expr: `sum by (node) (evenkeel_migrations_active{${ON_NODE}})`, legend: "{{node}}" }],
      }),
    )
    .withPanel(
      bars({
        title: "Bytes sent",
        about: "Memory, files and images; sum over the last hour.",
        queries: [{ expr: `sum by (kind) (increase(evenkeel_migration_bytes_total{${ON_NODE}}[${WINDOW}]))`, legend: "{{kind}}" }],
        unit: "bytes",
      }),
    );
}
