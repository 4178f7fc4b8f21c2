import type { DashboardBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { stat } from "../panels.js";
import { fromLeader } from "../query.js";

export function addFleetNow(dashboard: DashboardBuilder): void {
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
        about:
          "Nodes with the maintenance flag, draining or drained; nodes that are cordoned for themselves; 1 when the whole fleet is paused.",
        queries: [
          { expr: `sum(${fromLeader("evenkeel_node_maintenance")})`, legend: "maintenance" },
          { expr: `sum(${fromLeader("evenkeel_node_cordoned")})`, legend: "cordoned" },
          { expr: fromLeader("evenkeel_paused"), legend: "paused" },
        ],
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
