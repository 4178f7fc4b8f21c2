import { Registry } from "prom-client";
import { makeCollectorMetrics } from "../collector/metrics.js";
import { makeExecutorMetrics } from "../executor/metrics.js";
import { makeSchedulerMetrics } from "../scheduler/metrics.js";

export interface MetricFact {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly help: string;
}

export interface Part {
  readonly name: string;
  readonly job: string;
  readonly about: string;
  readonly metrics: readonly MetricFact[];
}

/** The units that Prometheus' names end in; anything else counts. */
const UNITS = ["seconds", "bytes", "ratio", "cores"];

/** What each part registers, read from its own code. */
export function parts(): Part[] {
  return [
    {
      name: "collector",
      job: "evenkeel-collector",
      about: "On every node, port 9101. A value that is unknown has no series: a gap is the truth, a zero would be a lie.",
      metrics: factsOf(makeCollectorMetrics),
    },
    {
      name: "scheduler",
      job: "evenkeel-scheduler",
      about: "On its HTTP port, 8080. What it says of the fleet is right while it leads: join with `evenkeel_leader == 1`.",
      metrics: factsOf(makeSchedulerMetrics),
    },
    {
      name: "executor",
      job: "evenkeel-executor",
      about: "On every node, port 9102. The source's executor counts each migration, once, when it has ended.",
      metrics: factsOf(makeExecutorMetrics),
    },
  ];
}

/** docs/metrics.md. */
export async function metricsPage(): Promise<string> {
  const sections = parts().map(({ name, job, about, metrics }) => {
    const rows = metrics.map(
      ({ name: metric, type, labels, help }) =>
        `| \`${metric}\` | ${type} | ${unitOf(metric)} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${help} |`,
    );
    return [
      `## ${name}`,
      `Job \`${job}\`. ${about}`,
      "",
      "| metric | type | unit | labels | meaning |",
      "| --- | --- | --- | --- | --- |",
      ...rows,
    ].join("\n");
  });
  return `${INTRODUCTION}\n${sections.join("\n\n")}\n`;
}

const INTRODUCTION = `# Metrics
<!-- Written by \`npm run generate\` from the parts' own registries; a test keeps it equal to them. -->

Every part serves \`/metrics\` for Prometheus and \`/healthz\` (200 when well, else 503 and the reason), and Node's process metrics besides
these. Units are Prometheus' base units: seconds, bytes, ratios from 0 to 1. The label \`node\` of collectors and executors is set by the
scrape configuration (\`grafana/prometheus/\`), not by them, so that there is one source for it; the scheduler's target has none, because
its metrics name the node they speak of.
`;

function factsOf(register: (registry: Registry) => unknown): MetricFact[] {
  const registry = new Registry();
  register(registry);
  return registry.getMetricsAsArray().map((metric) => {
    // prom-client keeps these on every metric but declares them on none.
    const { name, type, help, labelNames } = metric as unknown as { name: string; type: string; help: string; labelNames: string[] };
    return { name, type, help, labels: labelNames.filter((label) => label !== "le") };
  });
}

function unitOf(metric: string): string {
  return UNITS.find((unit) => new RegExp(`_${unit}(_total)?$`).test(metric)) ?? "";
}
