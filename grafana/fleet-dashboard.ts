import { type DashboardBuilder, RowBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { newDashboard } from "./new-dashboard.js";
import { bars, lines, stat, timeline } from "./panels.js";
import { fromLeader } from "./query.js";

/** The scheduler's verdicts in the order of the states below. */
const STATES = ["level", "warming", "overloaded", "draining", "drained", "suspect", "unknown"];
const COLOURS = ["green", "yellow", "red", "blue", "purple", "orange", "text"];
const STATE_CODES = STATES.map((state, index) => `${fromLeader(`evenkeel_node_state{state="${state}",node=~"$node"}`)} * ${index + 1}`);
const STATE_WORDS = Object.fromEntries(STATES.map((state, index) => [index + 1, [state, COLOURS[index]!] as const]));

/** DEFAULT_POLICY_CONFIG's bounds of the overload policy. */
const CPU_BOUNDS = [
  [0.65, "orange"],
  [0.8, "red"],
] as const;
const MEMORY_BOUNDS = [
  [0.8, "orange"],
  [0.9, "red"],
] as const;

export function fleetDashboard(): DashboardBuilder {
  const dashboard = newDashboard(
    "evenkeel-fleet",
    "Evenkeel: Fleet",
    "Is the fleet level, is every node seen, and what does Evenkeel decide?",
  );
  addNow(dashboard.withRow(new RowBuilder("Now")));
  addNodes(dashboard.withRow(new RowBuilder("Nodes")));
  addDecisions(dashboard.withRow(new RowBuilder("Decisions")));
  addWorkloads(dashboard.withRow(new RowBuilder("Workloads")));
  addCollectors(dashboard.withRow(new RowBuilder("Collectors")));
  return dashboard;
}

function addNow(dashboard: DashboardBuilder): void {
  const count = (state: string) => `sum(${fromLeader(`evenkeel_node_state{state="${state}"}`)})`;
  dashboard
    .withPanel(
      stat({
        title: "Nodes",
        about: "Nodes the leader knows of, silent ones included.",
        queries: [{ expr: `count(${fromLeader("evenkeel_node_sample_age_seconds")})` }],
      }),
    )
    .withPanel(
      stat({
        title: "Unknown",
        about: "Nodes that have fallen silent or cannot read themselves. They are neither source nor target.",
        queries: [{ expr: count("unknown") }],
        steps: [[1, "red"]],
      }),
    )
    .withPanel(
      stat({
        title: "Overloaded",
        about: "Nodes above the detect bound for the hold time.",
        queries: [{ expr: count("overloaded") }],
        steps: [[1, "orange"]],
      }),
    )
    .withPanel(
      stat({
        title: "Under maintenance",
        about: "Nodes with the maintenance flag, draining or drained.",
        queries: [{ expr: `sum(${fromLeader("evenkeel_node_maintenance")})` }],
        steps: [[1, "blue"]],
      }),
    )
    .withPanel(
      stat({
        title: "Imbalance",
        about: "Standard deviation of the known nodes' CPU ratio; 0 is perfectly level.",
        queries: [{ expr: fromLeader("evenkeel_imbalance_ratio") }],
        unit: "percentunit",
        steps: [
          [0.15, "orange"],
          [0.3, "red"],
        ],
      }),
    )
    .withPanel(
      stat({
        title: "Leaders",
        about: "Schedulers that lead. Anything but one, for more than a moment, is wrong.",
        queries: [
          { expr: "sum(evenkeel_leader)", legend: "leaders" },
          { expr: "max(evenkeel_leader_term)", legend: "term" },
        ],
      }),
    );
}

function addNodes(dashboard: DashboardBuilder): void {
  dashboard
    .withPanel(
      lines({
        title: "CPU",
        about: "Of each node's own capacity. Dashed: fix and detect bound of the overload policy's defaults.",
        queries: [{ expr: 'evenkeel_node_cpu_ratio{node=~"$node"}', legend: "{{node}}" }],
        unit: "percentunit",
        bounds: CPU_BOUNDS,
        max: 1,
      }),
    )
    .withPanel(
      lines({
        title: "Memory",
        about: "Working set of each node's own capacity. Dashed: fix and detect bound of the defaults.",
        queries: [{ expr: 'evenkeel_node_memory_ratio{node=~"$node"}', legend: "{{node}}" }],
        unit: "percentunit",
        bounds: MEMORY_BOUNDS,
        max: 1,
      }),
    )
    .withPanel(
      timeline({
        title: "State",
        about: "What the policies think of each node.",
        queries: [{ expr: `sum by (node) (${STATE_CODES.join(" or ")})`, legend: "{{node}}" }],
        states: STATE_WORDS,
      }),
    )
    .withPanel(
      lines({
        title: "Age of the newest sample",
        about: "A line that climbs is a node that has fallen silent.",
        queries: [{ expr: `max by (node) (${fromLeader('evenkeel_node_sample_age_seconds{node=~"$node"}')})`, legend: "{{node}}" }],
        unit: "s",
      }),
    )
    .withPanel(
      lines({
        title: "Pressure",
        about: "Share of the last 10 s in which some task waited for the resource. No lines where the kernel keeps no pressure figures.",
        queries: [{ expr: 'evenkeel_node_pressure_ratio{node=~"$node",kind="some"}', legend: "{{node}} {{resource}}" }],
        unit: "percentunit",
        span: 8,
      }),
    )
    .withPanel(
      lines({
        title: "Network",
        about: "Over the node's border; migrations show up here.",
        queries: [
          {
            expr: 'sum by (node, direction) (rate(evenkeel_node_network_bytes_total{node=~"$node"}[$__rate_interval]))',
            legend: "{{node}} {{direction}}",
          },
        ],
        unit: "Bps",
        span: 8,
      }),
    )
    .withPanel(
      lines({
        title: "Disk",
        about: "To and from the node's disks.",
        queries: [
          {
            expr: 'sum by (node, direction) (rate(evenkeel_node_disk_bytes_total{node=~"$node"}[$__rate_interval]))',
            legend: "{{node}} {{direction}}",
          },
        ],
        unit: "Bps",
        span: 8,
      }),
    );
}

function addDecisions(dashboard: DashboardBuilder): void {
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
        span: 8,
      }),
    )
    .withPanel(
      bars({
        title: "Candidates skipped",
        about: "Why what might have moved did not. `evenkeel plan --explain` gives each by name.",
        queries: [{ expr: "sum by (reason) (increase(evenkeel_skips_total[$__rate_interval]))", legend: "{{reason}}" }],
        span: 8,
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
        span: 8,
      }),
    );
}

function addWorkloads(dashboard: DashboardBuilder): void {
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

function addCollectors(dashboard: DashboardBuilder): void {
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
