import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { fleetDashboard } from "./fleet-dashboard.js";
import { migrationsDashboard } from "./migrations-dashboard.js";

export const DASHBOARDS: readonly Dashboard[] = [fleetDashboard().build(), migrationsDashboard().build()].map(numberPanels);

/** Grafana numbers panels without an id itself, differently each time; links to panels would break. */
function numberPanels(dashboard: Dashboard): Dashboard {
  dashboard.panels?.forEach((panel, index) => {
    panel.id = index + 1;
    const targets = "targets" in panel ? (panel.targets ?? []) : [];
    for (const [at, target] of targets.entries()) Object.assign(target, { refId: String.fromCharCode(65 + at) });
  });
  return dashboard;
}
