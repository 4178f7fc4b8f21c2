import type { DashboardBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { bars, lines } from "../panels.js";
import { fromLeader } from "../query.js";

export function addDecisions(dashboard: DashboardBuilder): void {
  dashboard
    .withPanel(
      lines({
        title: "Imbalance",
        about: "Should fall after each batch of moves, and stay.",
        queries: [{ expr: `max(${fromLeader("evenkeel_imbalance_ratio")})`, legend: "standard deviation of CPU ratio" }],
        unit: "percentunit",
      }),
    )
    .withPanel(
      lines({
        title: "Left to drain",
        about: "Workloads still on nodes under maintenance.",
        queries: [{ expr: `max by (node) (${fromLeader('evenkeel_drain_remaining_workloads{node=~"$node"}')})`, legend: "{{node}}" }],
      }),
    )
    .withPanel(
      bars({
        title: "Moves planned",
        about: "By reason. Many, over and over, for the same cause: ping-pong.",
        queries: [{ expr: "sum by (reason) (increase(evenkeel_moves_planned_total[$__rate_interval]))", legend: "{{reason}}" }],
        span: 6,
      }),
    )
    .withPanel(
      bars({
        title: "Candidates skipped",
        about: "Why what might have moved did not. `evenkeel plan --explain` gives each by name.",
        queries: [{ expr: "sum by (reason) (increase(evenkeel_skips_total[$__rate_interval]))", legend: "{{reason}}" }],
        span: 6,
      }),
    )
    .withPanel(
      lines({
        title: "Time of a decision",
        about: "From reading the fleet to the last job delivered, 99th percentile.",
        queries: [
          { expr: "histogram_quantile(0.99, sum by (le) (rate(evenkeel_tick_duration_seconds_bucket[$__rate_interval])))", legend: "p99" },
        ],
        unit: "s",
        span: 6,
      }),
    )
    .withPanel(
      bars({
        title: "Settings refused",
        about:
          "Changed configurations with something wrong in them; the old settings stay. `evenkeel status` names the field and its line.",
        queries: [
          { expr: "sum by (instance) (increase(evenkeel_config_reload_failures_total[$__rate_interval]))", legend: "{{instance}}" },
        ],
        span: 6,
      }),
    )
    .withPanel(
      lines({
        title: "Schedulers",
        about: "Heard lately, and those among them that decide by other settings than the leader: they should all have the same file.",
        queries: [
          { expr: `sum(${fromLeader("evenkeel_schedulers")})`, legend: "all" },
          { expr: fromLeader('evenkeel_schedulers{settings="other"}'), legend: "other settings" },
        ],
        span: 6,
      }),
    );
}
