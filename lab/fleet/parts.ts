import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { waitFor } from "../deadline.js";
import type { Lab } from "../lab.js";
import type { Machine } from "../machine.js";
import {
  COLLECTOR_METRICS_PORT,
  EXECUTOR_METRICS_PORT,
  type FleetSettings,
  PROMETHEUS_PORT,
  REDIS_PORT,
  SCHEDULER_PORT,
} from "./settings.js";

const START_DEADLINE_SECONDS = 180;

/** Evenkeel's own parts run in the machines as they would on any host: `node dist/<part>/main.js` with a configuration file. */
export async function startPart(machine: Machine, part: "collector" | "executor" | "scheduler", settings: FleetSettings): Promise<void> {
  await machine.spawn(["node", `/opt/evenkeel/dist/${part}/main.js`], {
    name: part,
    env: { EVENKEEL_CONFIG: settings.configOf(machine.name), NODE_ENV: "production" },
  });
}

export async function startRedis(lab: Lab, settings: FleetSettings): Promise<void> {
  const options = [
    `port ${REDIS_PORT}`,
    `bind ${lab.control.address} 127.0.0.1`,
    `requirepass ${settings.redisPassword}`,
    "appendonly yes",
    "appendfsync always",
    "maxmemory-policy noeviction",
    "dir /var/lib/redis",
    "unixsocket /shared/redis.sock",
  ];
  await writeFile(join(lab.sharedDirectory, "etc", "redis.conf"), `${options.join("\n")}\n`, { mode: 0o600 });
  await lab.control.spawn(["redis-server", "/shared/etc/redis.conf"], { name: "redis" });
  await answers(
    lab.control,
    "Redis",
    ["redis-cli", "-s", "/shared/redis.sock", "-a", settings.redisPassword, "--no-auth-warning", "ping"],
    "PONG",
  );
}

/** Prometheus scrapes every part; the label `node` comes from here. */
export async function startPrometheus(lab: Lab): Promise<void> {
  const targets = (port: number) => lab.nodes.map((node) => ({ targets: [`${node.address}:${port}`], labels: { node: node.name } }));
  const config = {
    global: { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "5s" },
    rule_files: ["/opt/evenkeel/grafana/alerts/*.rules.yml"],
    scrape_configs: [
      { job_name: "evenkeel-collector", static_configs: targets(COLLECTOR_METRICS_PORT) },
      { job_name: "evenkeel-executor", static_configs: targets(EXECUTOR_METRICS_PORT) },
      { job_name: "evenkeel-scheduler", static_configs: [{ targets: [`${lab.control.address}:${SCHEDULER_PORT}`] }] },
    ],
  };
  await writeFile(join(lab.sharedDirectory, "etc", "prometheus.yml"), stringify(config));
  await lab.control.spawn(
    [
      "prometheus",
      "--config.file=/shared/etc/prometheus.yml",
      "--storage.tsdb.path=/var/lib/evenkeel/prometheus",
      `--web.listen-address=127.0.0.1:${PROMETHEUS_PORT}`,
    ],
    { name: "prometheus" },
  );
}

async function answers(machine: Machine, what: string, command: readonly string[], expected: string): Promise<void> {
  await waitFor(`${what} to answer (see ${machine.folder}/log)`, START_DEADLINE_SECONDS, async () => {
    const { stdout } = await machine.exec(command, { reject: false });
    return stdout.includes(expected);
  });
}
