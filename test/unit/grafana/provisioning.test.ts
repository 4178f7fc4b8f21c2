import { existsSync, readFileSync } from "node:fs";
import { expect } from "chai";
import { execa } from "execa";
import { parse } from "yaml";
import { DASHBOARDS } from "../../../grafana/dashboards.js";
import { projectPath } from "../../../platform/paths.js";
import { findTool } from "../../integration/grafana/lab-tools.js";

const read = (path: string): unknown => parse(readFileSync(projectPath(path), "utf8"));

/** `target: source` of every file or folder of this project that a service mounts. */
function mountsOf(service: string): Map<string, string> {
  const { services } = read("docker-compose.yml") as { services: Record<string, { volumes: string[] }> };
  const own = services[service]!.volumes.filter((volume) => volume.startsWith("./"));
  return new Map(own.map((volume) => volume.split(":") as [string, string]).map(([source, target]) => [target, source.slice(2)]));
}

function onHost(service: string, path: string): string {
  const [target, source] = [...mountsOf(service)].find(([candidate]) => path.startsWith(candidate))!;
  return projectPath(`${source}${path.slice(target.length)}`);
}

describe("what Grafana and Prometheus are given", () => {
  it("Grafana finds every dashboard where its provisioning looks", () => {
    const { providers } = read("grafana/provisioning/dashboards/evenkeel.yml") as { providers: { options: { path: string } }[] };
    for (const { uid } of DASHBOARDS)
      expect(existsSync(`${onHost("grafana", providers[0]!.options.path)}/${uid}.json`), uid).to.equal(true);
  });

  it("Grafana asks the Prometheus of the same compose file, in steps of its scrape interval", () => {
    const { datasources } = read("grafana/provisioning/datasources/prometheus.yml") as {
      datasources: { url: string; jsonData: { timeInterval: string } }[];
    };
    const { global } = read("grafana/prometheus/prometheus.yml") as { global: { scrape_interval: string } };
    expect(datasources[0]).to.deep.include({ url: "http://prometheus:9090" });
    expect(datasources[0]!.jsonData.timeInterval).to.equal(global.scrape_interval);
  });

  it("Prometheus finds its rules and its list of nodes", () => {
    const { rule_files, scrape_configs } = read("grafana/prometheus/prometheus.yml") as {
      rule_files: string[];
      scrape_configs: { file_sd_configs?: { files: string[] }[] }[];
    };
    const lists = scrape_configs.flatMap(({ file_sd_configs }) => file_sd_configs ?? []).flatMap(({ files }) => files);
    for (const path of lists) expect(existsSync(onHost("prometheus", path)), path).to.equal(true);
    expect(existsSync(onHost("prometheus", rule_files[0]!.replace("*", "evenkeel")))).to.equal(true);
  });

  const promtool = findTool("usr/bin/promtool");
  const why = promtool === null ? " (skipped: no promtool; install Debian's package prometheus, or build the lab)" : "";
  it(`Prometheus' configuration holds for promtool${why}`, async function () {
    if (promtool === null) return this.skip();
    const [command, ...args] = promtool;
    const { stdout } = await execa(command!, [
      ...args,
      "check",
      "config",
      "--syntax-only",
      projectPath("grafana/prometheus/prometheus.yml"),
    ]);
    expect(stdout).to.contain("SUCCESS");
  });
});
