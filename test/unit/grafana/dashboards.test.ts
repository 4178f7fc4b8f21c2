import { readFileSync } from "node:fs";
import { expect } from "chai";
import { DASHBOARDS } from "../../../grafana/dashboards.js";
import { expressions } from "../../../grafana/expressions.js";
import { generatedFiles } from "../../../grafana/generated-files.js";
import { projectPath } from "../../../platform/paths.js";
import { knownSeries } from "./known-metrics.js";
import { readPromql } from "./promql.js";

describe("the dashboards", () => {
  it("are in git as the code makes them, and so is docs/metrics.md", async () => {
    for (const [path, text] of await generatedFiles()) {
      expect(readFileSync(projectPath(path), "utf8"), `${path} is stale: npm run generate`).to.equal(text);
    }
  });

  for (const dashboard of DASHBOARDS) {
    const panels = (dashboard.panels ?? []).filter((panel) => panel.type !== "row") as {
      id?: number;
      title?: string;
      description?: string;
      gridPos?: { x: number; y: number; w: number; h: number };
      targets?: unknown[];
    }[];

    it(`${dashboard.title}: every panel says what it tells and asks for something`, () => {
      for (const panel of panels) {
        expect(panel.description, panel.title).to.match(/\.$/);
        expect(panel.targets, panel.title).to.have.length.above(0);
      }
      expect(new Set(panels.map((panel) => panel.id)).size).to.equal(panels.length);
    });

    it(`${dashboard.title}: no panel covers another or leaves the grid`, () => {
      const cells = panels.flatMap(({ title, gridPos }) => {
        expect(gridPos!.x + gridPos!.w, title).to.be.at.most(24);
        return Array.from({ length: gridPos!.w * gridPos!.h }, (_, index) => {
          const [x, y] = [gridPos!.x + (index % gridPos!.w), gridPos!.y + Math.floor(index / gridPos!.w)];
          return `${x},${y}`;
        });
      });
      expect(new Set(cells).size).to.equal(cells.length);
    });
  }
});

describe("the dashboards' expressions", () => {
  const series = knownSeries();

  for (const { dashboard, panel, expr } of expressions()) {
    it(`${dashboard}, ${panel}: is PromQL over metrics and labels that exist: ${expr.slice(0, 60)}`, () => {
      const { errors, metrics, labels } = readPromql(expr);
      expect(errors).to.deep.equal([]);
      expect(expr, "all variables are filled in").not.to.contain("$");
      expect(metrics).to.have.length.above(0);
      for (const metric of metrics) expect([...series.keys()], metric).to.include(metric);
      const known = new Set(metrics.flatMap((metric) => [...(series.get(metric) ?? [])]));
      expect([...known]).to.include.members([...labels]);
    });
  }

  it("show every metric of every part somewhere", () => {
    const shown = new Set(
      expressions().flatMap(({ expr }) => readPromql(expr).metrics.map((metric) => metric.replace(/_(bucket|sum|count)$/, ""))),
    );
    const unseen = [...series.keys()].map((name) => name.replace(/_(bucket|sum|count)$/, "")).filter((name) => !shown.has(name));
    // Capacities are in the API and the page; the last push shows as the age of the sample.
    expect([...new Set(unseen)].sort()).to.deep.equal([
      "evenkeel_collector_last_sample_timestamp_seconds",
      "evenkeel_node_cpu_capacity_cores",
      "evenkeel_node_memory_available_bytes",
      "evenkeel_node_memory_capacity_bytes",
      "process_start_time_seconds",
      "up",
    ]);
  });

  it("would be caught when wrong", () => {
    expect(readPromql("sum(rate(evenkeel_leader[1m])").errors).to.have.length.above(0);
    expect(readPromql("sum by (nod) (evenkeel_laeder)")).to.deep.include({ metrics: ["evenkeel_laeder"], labels: ["nod"] });
  });
});
