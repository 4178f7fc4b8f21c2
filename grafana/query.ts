import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";

export interface Query {
  /** PromQL; may hold `$node`, `$__rate_interval` and `$__range`. */
  readonly expr: string;
  readonly legend?: string;
}

/** The variable through which every panel names its Prometheus. */
export const DATASOURCE = { type: "prometheus", uid: "$datasource" };

/** Only what the leader says of the fleet: another scheduler's picture is older, and two of them would add up. */
export function fromLeader(selector: string): string {
  return `(${selector} and on (instance) (evenkeel_leader == 1))`;
}

/** Prometheus 3 writes the bound of a bucket as "1.0", Prometheus 2 leaves it "1". */
export function bucketBound(seconds: number): string {
  return Number.isInteger(seconds) ? `le=~"${seconds}([.]0)?"` : `le="${seconds}"`;
}

export function rangeQuery({ expr, legend }: Query): DataqueryBuilder {
  return new DataqueryBuilder()
    .datasource(DATASOURCE)
    .expr(expr)
    .legendFormat(legend ?? "__auto")
    .range();
}

export function instantQuery({ expr, legend }: Query): DataqueryBuilder {
  return new DataqueryBuilder()
    .datasource(DATASOURCE)
    .expr(expr)
    .legendFormat(legend ?? "__auto")
    .instant();
}

export function heatmapQuery({ expr }: Query): DataqueryBuilder {
  return rangeQuery({ expr, legend: "{{le}}" }).format(PromQueryFormat.Heatmap);
}
