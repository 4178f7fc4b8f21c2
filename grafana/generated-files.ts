import { DASHBOARDS } from "./dashboards.js";
import { metricsPage } from "./metrics-page.js";

/** Path below the project's top folder -> text, of every file that `generate` writes and that is kept in git. */
export async function generatedFiles(): Promise<ReadonlyMap<string, string>> {
  const files = new Map(
    DASHBOARDS.map((dashboard) => [`grafana/dashboards/${dashboard.uid}.json`, `${JSON.stringify(dashboard, null, 2)}\n`]),
  );
  return files.set("docs/metrics.md", await metricsPage());
}
