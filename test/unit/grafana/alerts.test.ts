import { readFileSync } from "node:fs";
import { expect } from "chai";
import { execa } from "execa";
import { parse } from "yaml";
import { projectPath } from "../../../platform/paths.js";
import { findTool } from "../../integration/grafana/lab-tools.js";
import { knownSeries } from "./known-metrics.js";
import { readPromql } from "./promql.js";

const ALERTS = projectPath("grafana/alerts");

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook: string };
}
const rules = (parse(readFileSync(`${ALERTS}/evenkeel.rules.yml`, "utf8")) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);

describe("the alerts", () => {
  const series = knownSeries();
  const runbooks = readFileSync(projectPath("docs/runbooks.md"), "utf8");
  const cases = readFileSync(`${ALERTS}/evenkeel.test.yml`, "utf8");

  for (const { alert, expr, labels, annotations } of rules) {
    it(`${alert}: is PromQL over metrics and labels that exist`, () => {
      const { errors, metrics, labels: used } = readPromql(expr);
      expect(errors).to.deep.equal([]);
      expect([...series.keys()]).to.include.members([...metrics]);
      expect([...new Set(metrics.flatMap((metric) => [...(series.get(metric) ?? [])]))]).to.include.members([...used]);
    });

    it(`${alert}: has a severity, words for a person, a runbook and a case in which it fires`, () => {
      expect(labels.severity).to.be.oneOf(["warning", "critical"]);
      expect(annotations.summary).not.to.equal("");
      expect(annotations.runbook).to.equal(`docs/runbooks.md#${alert.toLowerCase()}`);
      expect(runbooks).to.contain(`\n## ${alert}\n`);
      expect(cases).to.match(new RegExp(`alertname: ${alert}(, exp_alerts|\\n +exp_alerts)`));
    });
  }

  const promtool = findTool("usr/bin/promtool");
  const why = promtool === null ? " (skipped: no promtool; install Debian's package prometheus, or build the lab)" : "";
  it(`hold for promtool, and fire when they should and only then${why}`, async function () {
    if (promtool === null) return this.skip();
    this.timeout(20_000);
    const [command, ...args] = promtool;
    await execa(command!, [...args, "check", "rules", "evenkeel.rules.yml"], { cwd: ALERTS });
    const { all } = await execa(command!, [...args, "test", "rules", "evenkeel.test.yml"], { cwd: ALERTS, all: true, reject: false });
    expect(all).to.contain("SUCCESS").and.not.to.contain("FAILED");
  });
});
