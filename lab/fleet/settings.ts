import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { issueCertificate, makeAuthority } from "../../platform/tls.js";
import type { Lab } from "../lab.js";

export const REDIS_PORT = 6379;
export const SCHEDULER_PORT = 8080;
export const PROMETHEUS_PORT = 9090;
export const COLLECTOR_METRICS_PORT = 9101;
export const EXECUTOR_METRICS_PORT = 9102;
/** A node that a busy machine holds up for some seconds is not to become unknown. */
const LEAST_TTL_SECONDS = 15;

export interface FleetSettings {
  readonly operatorToken: string;
  readonly redisPassword: string;
  /** Paths as the machines see them. */
  configOf(machine: string): string;
}

/** Writes each part's configuration and certificates into the shared folder, as an installer would into /etc/evenkeel. */
export async function writeSettings(
  lab: Lab,
  options: {
    policies: Record<string, unknown>;
    executor: Record<string, unknown>;
    mode: "observe" | "auto";
    sampleSeconds: number;
    tickSeconds: number;
    /** Further settings of the scheduler. */
    scheduler: Record<string, unknown>;
    nodeLabels: Readonly<Record<string, Record<string, string>>>;
    signOfLifeSeconds: number;
  },
): Promise<FleetSettings> {
  const operatorToken = randomBytes(24).toString("hex");
  const redisPassword = randomBytes(16).toString("hex");
  const authority = await makeAuthority(`evenkeel lab ${lab.name}`);
  const redis = { url: `redis://${lab.control.address}:${REDIS_PORT}`, password: redisPassword };
  const { sampleSeconds } = options;
  const collector = {
    intervalSeconds: sampleSeconds,
    sampleTtlSeconds: Math.max(LEAST_TTL_SECONDS, sampleSeconds * 5),
    healthSeconds: sampleSeconds * 5,
  };
  const common = { redis, collector };
  const write = async (machine: string, config: object, files: Record<string, string> = {}) => {
    const folder = join(lab.sharedDirectory, "etc", machine);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(join(folder, "config.json"), JSON.stringify(config, null, 2));
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
  };
  for (const node of lab.nodes) {
    const pair = await issueCertificate(authority, node.name);
    const home = `/shared/etc/${node.name}`;
    await write(
      node.name,
      {
        ...common,
        node: { id: node.name, peerHost: node.address, labels: options.nodeLabels[node.name] ?? {} },
        executor: {
          ...options.executor,
          metricsPort: EXECUTOR_METRICS_PORT,
          signOfLifeSeconds: options.signOfLifeSeconds,
          tls: { authority: `${home}/ca.pem`, certificate: `${home}/node.pem`, key: `${home}/node.key` },
        },
      },
      { "ca.pem": authority.certificate, "node.pem": pair.certificate, "node.key": pair.key },
    );
  }
  await write(lab.control.name, {
    ...common,
    scheduler: { ...options.scheduler, port: SCHEDULER_PORT, tickSeconds: options.tickSeconds, operatorToken, mode: options.mode },
    policies: options.policies,
  });
  return { operatorToken, redisPassword, configOf: (machine) => `/shared/etc/${machine}/config.json` };
}
