import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { DASHBOARDS } from "./dashboards.js";

/** What must have happened in a fleet before an expression can have data. */
export type Need = "nothing" | "migration" | "failed-migration" | "plan" | "skip" | "drain" | "pressure" | "failed-read";

export interface Expression {
  readonly dashboard: string;
  readonly panel: string;
  /** PromQL with Grafana's variables filled in: all nodes, an hour, windows of a minute. */
  readonly expr: string;
  readonly need: Need;
}

const NEEDS: readonly (readonly [pattern: RegExp, need: Need])[] = [
  [/result!="succeeded"/, "failed-migration"],
  [/evenkeel_migrations_total|evenkeel_migration_(blackout|stage|bytes)/, "migration"],
  [/evenkeel_moves_planned_total/, "plan"],
  [/evenkeel_skips_total/, "skip"],
  [/evenkeel_drain_remaining_workloads/, "drain"],
  [/evenkeel_node_pressure_ratio/, "pressure"],
  [/evenkeel_collector_failed_reads_total/, "failed-read"],
];

/** Every expression of every dashboard. A test runs each against a real fleet's Prometheus. */
export function expressions(): Expression[] {
  return DASHBOARDS.flatMap((dashboard) => expressionsOf(dashboard));
}

function expressionsOf(dashboard: Dashboard): Expression[] {
  return (dashboard.panels ?? []).flatMap((panel) => {
    const targets = "targets" in panel ? ((panel.targets ?? []) as { expr?: string }[]) : [];
    return targets.map(({ expr = "" }) => ({
      dashboard: dashboard.title ?? "",
      panel: panel.title ?? "",
      expr: fillIn(expr),
      need: NEEDS.find(([pattern]) => pattern.test(expr))?.[1] ?? "nothing",
    }));
  });
}

function fillIn(expr: string): string {
  return expr.replaceAll("$__rate_interval", "1m").replaceAll("$__range", "1h").replaceAll("$node", ".*");
}
