import { arch, hostname, release } from "node:os";
import type Docker from "dockerode";
import si from "systeminformation";
import type { NodeIdentity, NodeSample } from "./protocol.js";

export interface IdentityOptions {
  readonly node: string;
  readonly peerAddress: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly docker: Docker;
  readonly networks: readonly string[] | null;
}

/** Who the node is. systeminformation forks for this, so it is asked seldom and never within a sample. */
export async function readIdentity(options: IdentityOptions, sample: NodeSample): Promise<NodeIdentity> {
  const [os, cpu, engine] = await Promise.all([si.osInfo(), si.cpu(), readEngine(options.docker)]);
  return {
    node: options.node,
    hostname: hostname(),
    kernel: os.kernel || release(),
    architecture: os.arch || arch(),
    cpuModel: [cpu.manufacturer, cpu.brand].filter(Boolean).join(" ") || "unknown",
    cpuCapacityCores: sample.cpuCapacityCores,
    memoryCapacityBytes: sample.memoryCapacityBytes,
    engine,
    peerAddress: options.peerAddress,
    labels: { ...options.labels },
    networks: options.networks === null ? null : [...options.networks],
  };
}

async function readEngine(docker: Docker): Promise<NodeIdentity["engine"]> {
  try {
    const { Version } = await docker.version();
    return { name: "docker", version: Version };
  } catch {
    return null;
  }
}
