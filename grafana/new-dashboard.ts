import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DATASOURCE } from "./query.js";

/** What all dashboards share: the data source and node variables, refresh, links between them. `uid` is also the file's name. */
export function newDashboard(uid: string, title: string, description: string): DashboardBuilder {
  return new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(["evenkeel"])
    .readonly()
    .time({ from: "now-1h", to: "now" })
    .refresh("10s")
    .timezone("browser")
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(new DatasourceVariableBuilder("datasource").label("Prometheus").type("prometheus"))
    .withVariable(
      new QueryVariableBuilder("node")
        .label("Node")
        .datasource(DATASOURCE)
        .query('label_values({job=~"evenkeel-collector|evenkeel-executor"}, node)')
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .sort(VariableSort.NaturalAsc)
        .multi(true)
        .includeAll(true)
        .allValue(".*"),
    )
    .link(
      new DashboardLinkBuilder("Evenkeel")
        .type(DashboardLinkType.Dashboards)
        .tags(["evenkeel"])
        .asDropdown(true)
        .keepTime(true)
        .includeVars(true),
    );
}
