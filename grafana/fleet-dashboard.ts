import { type DashboardBuilder, RowBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { addCollectors } from "./fleet/collectors.js";
import { addDecisions } from "./fleet/decisions.js";
import { addNodes } from "./fleet/nodes.js";
import { addFleetNow } from "./fleet/now.js";
import { addWorkloads } from "./fleet/workloads.js";
import { newDashboard } from "./new-dashboard.js";

export function fleetDashboard(): DashboardBuilder {
  const about = "Is the fleet level, is every node seen, and what does Evenkeel decide?";
  const dashboard = newDashboard("evenkeel-fleet", "Evenkeel: Fleet", about);
  addFleetNow(dashboard.withRow(new RowBuilder("Now")));
  addNodes(dashboard.withRow(new RowBuilder("Nodes")));
  addDecisions(dashboard.withRow(new RowBuilder("Decisions")));
  addWorkloads(dashboard.withRow(new RowBuilder("Workloads")));
  addCollectors(dashboard.withRow(new RowBuilder("Collectors")));
  return dashboard;
}
