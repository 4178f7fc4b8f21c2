import type { DashboardBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { DEFAULT_POLICY_CONFIG } from "../../policies/config.js";
import type { Verdict } from "../../policies/types.js";
import { lines, timeline } from "../panels.js";
import { fromLeader } from "../query.js";

/** A colour for each verdict of the policies, in the order of their codes: 1, 2 … */
const COLOURS: Readonly<Record<Verdict["verdict"], string>> = {
  level: "green",
  warming: "yellow",
  overloaded: "red",
  draining: "blue",
  drained: "purple",
  suspect: "orange",
  asleep: "dark-blue",
  waking: "light-blue",
  unknown: "text",
};
const STATES = Object.entries(COLOURS);
const STATE_CODES = STATES.map(([state], index) => `${fromLeader(`evenkeel_node_state{state="${state}",node=~"$node"}`)} * ${index + 1}`);
const STATE_WORDS = Object.fromEntries(STATES.map(([state, colour], index) => [index + 1, [state, colour] as const]));

const { overload } = DEFAULT_POLICY_CONFIG;
const CPU_BOUNDS = [
  [overload.cpuFixRatio, "orange"],
  [overload.cpuDetectRatio, "red"],
] as const;
const MEMORY_BOUNDS = [
  [overload.memoryFixRatio, "orange"],
  [overload.memoryDetectRatio, "red"],
] as const;

export function addNodes(dashboard: DashboardBuilder): void {
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
        span: 12,
      }),
    )
    .withPanel(
      lines({
        title: "Signs of failing",
        about: "1 while a node shows the sign. No line: it cannot be looked for on that node, and nothing is known.",
        queries: [{ expr: 'evenkeel_node_health_sign{node=~"$node"}', legend: "{{node}} {{kind}}" }],
        unit: "none",
        max: 1,
        span: 12,
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
        span: 12,
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
        span: 12,
      }),
    );
}
