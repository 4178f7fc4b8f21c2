import { existsSync } from "node:fs";
import { join } from "node:path";
import Docker from "dockerode";
import { projectPath } from "../platform/paths.js";
import { waitFor } from "./deadline.js";
import { type Machine, type MachineOptions, type Site, startMachine } from "./machine.js";
import { isConfined } from "./sysctls.js";

/** A machine that runs Docker: a node of the fleet. */
export interface LabNode extends Machine {
  /** Over a unix socket that the host reaches too. */
  readonly docker: Docker;
  readonly dockerSocket: string;
  /** Kills dockerd (SIGTERM unless told otherwise); its supervisor starts it again. Resolves when it answers. */
  restartDocker(signal?: NodeJS.Signals): Promise<void>;
}

export const FLEET_NETWORK = "fleet";
const FIRST_NODE_OCTET = 11;
const DOCKER_DEADLINE_SECONDS = 60;
const SHIM = "executor/shim/evenkeel-runtime";

export const nodeOctet = (index: number) => FIRST_NODE_OCTET + index;

function daemonSettings(name: string): string {
  const runtimes = existsSync(projectPath(SHIM))
    ? { runtimes: { evenkeel: { path: `/opt/evenkeel/${SHIM}` } }, "default-runtime": "evenkeel" }
    : {};
  return JSON.stringify(
    {
      hosts: [`unix:///shared/${name}/docker.sock`, "unix:///var/run/docker.sock"],
      containerd: "/run/containerd/containerd.sock",
      "storage-driver": "overlay2",
      "live-restore": false,
      experimental: true,
      // Root without CAP_SYS_RESOURCE may not read the limits of another user's process; root of its own user namespace may.
      ...(isConfined() ? { "userns-remap": "default" } : {}),
      ...runtimes,
    },
    null,
    2,
  );
}

/** containerd for Docker alone: what it would load for Kubernetes costs a second at each start. */
const CONTAINERD_SETTINGS = `version = 3
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime", "io.containerd.internal.v1.tracing", "io.containerd.nri.v1.nri"]
`;

export async function startNode(
  site: Site,
  node: { readonly name: string; readonly index: number; readonly cpuCores: number; readonly memoryBytes: number },
): Promise<LabNode> {
  const options: MachineOptions = {
    name: node.name,
    octet: nodeOctet(node.index),
    cpuCores: node.cpuCores,
    memoryBytes: node.memoryBytes,
    services: ["containerd", "docker"],
    files: {
      "etc/docker/daemon.json": daemonSettings(node.name),
      "etc/containerd/config.toml": CONTAINERD_SETTINGS,
      "etc/subuid": "dockremap:100000:65536\n",
      "etc/subgid": "dockremap:100000:65536\n",
    },
  };
  const machine = await startMachine(site, options);
  const opened = withDocker(machine, join(site.sharedDirectory, node.name, "docker.sock"));
  await dockerAnswers(opened);
  await opened.docker.createNetwork({
    Name: FLEET_NETWORK,
    Driver: "macvlan",
    IPAM: { Config: [{ Subnet: "10.77.0.0/24", Gateway: "10.77.0.254", IPRange: "10.77.0.128/25" }] },
    Options: { parent: "eth0" },
  });
  return opened;
}

export function withDocker(machine: Machine, dockerSocket: string): LabNode {
  const node: LabNode = Object.assign(machine, {
    docker: new Docker({ socketPath: dockerSocket }),
    dockerSocket,
    async restartDocker(signal: NodeJS.Signals = "SIGTERM") {
      const { stdout: before } = await machine.exec(["cat", "/run/dockerd.pid"]);
      await machine.exec(["kill", `-${signal.slice(3)}`, before]);
      await waitFor(`dockerd of ${machine.name} to be started again`, DOCKER_DEADLINE_SECONDS, async () => {
        const { stdout: now } = await machine.exec(["cat", "/run/dockerd.pid"]);
        return now !== before;
      });
      await dockerAnswers(node);
    },
  });
  return node;
}

async function dockerAnswers(node: LabNode): Promise<void> {
  await waitFor(`dockerd of ${node.name} to answer (see ${node.folder}/log/dockerd.log)`, DOCKER_DEADLINE_SECONDS, async () => {
    if (!existsSync(`/proc/${node.pid}`)) throw new Error(`${node.name} has stopped; see ${node.folder}/log`);
    return node.docker.ping().then(
      () => true,
      () => false,
    );
  });
}
