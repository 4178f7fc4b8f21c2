import { parts } from "../../../grafana/metrics-page.js";

/** Series name -> labels it can carry, those that Prometheus adds included. */
export function knownSeries(): ReadonlyMap<string, ReadonlySet<string>> {
  const targetLabels = ["job", "instance", "node"];
  const series = new Map<string, ReadonlySet<string>>(
    ["up", "process_start_time_seconds"].map((name) => [name, new Set(targetLabels)] as const),
  );
  for (const { name, type, labels } of parts().flatMap((part) => part.metrics)) {
    const all = new Set([...labels, ...targetLabels]);
    if (type !== "histogram") series.set(name, all);
    else {
      for (const suffix of ["_sum", "_count"]) series.set(`${name}${suffix}`, all);
      series.set(`${name}_bucket`, new Set([...all, "le"]));
    }
  }
  return series;
}
