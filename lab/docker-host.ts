import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import Docker from "dockerode";
import { waitFor } from "./deadline.js";
import { CONTAINERD_SETTINGS, daemonSettings } from "./docker-settings.js";
import { type Machine, type MachineOptions, startMachine } from "./machine.js";
import { addressOf, BRIDGE_OCTET, nodeOctet, type Site, SUBNET } from "./site.js";
import { isConfined } from "./sysctls.js";

/** A machine that runs Docker: a node of the fleet. */
export interface LabNode extends Machine {
  /** Over a unix socket that the host reaches too. */
  readonly docker: Docker;
  readonly dockerSocket: string;
  /** Kills dockerd (SIGTERM unless told otherwise); its supervisor starts it again. Resolves when it answers. */
  restartDocker(signal?: NodeJS.Signals): Promise<void>;
  /** Resolves when Docker answers, say after the machine was started again. */
  waitForDocker(): Promise<void>;
}

export const FLEET_NETWORK = "fleet";
/** Docker gives these to containers that name none. */
const WORKLOAD_ADDRESSES = "10.77.0.128/25";
const DOCKER_DEADLINE_SECONDS = 180;
const LOG_LINES = 20;

export async function startNode(
  site: Site,
  node: {
    readonly name: string;
    readonly index: number;
    readonly cpuCores: number;
    readonly memoryBytes: number;
    readonly docker?: Readonly<Record<string, unknown>>;
  },
): Promise<LabNode> {
  const options: MachineOptions = {
    name: node.name,
    octet: nodeOctet(node.index),
    cpuCores: node.cpuCores,
    memoryBytes: node.memoryBytes,
    services: ["containerd", "docker"],
    files: {
      "etc/docker/daemon.json": daemonSettings({
        hosts: [`unix:///shared/${node.name}/docker.sock`],
        isConfined: isConfined(),
        others: node.docker ?? {},
      }),
      "etc/containerd/config.toml": CONTAINERD_SETTINGS,
      "etc/subuid": "dockremap:100000:65536\n",
      "etc/subgid": "dockremap:100000:65536\n",
    },
  };
  const machine = await startMachine(site, options);
  const dockerSocket = join(site.sharedDirectory, node.name, "docker.sock");
  const docker = new Docker({ socketPath: dockerSocket });
  await dockerAnswers(machine, docker);
  await createFleetNetwork(docker);
  // Not a spread: the machine's pid changes.
  return Object.assign(machine, {
    docker,
    dockerSocket,
    restartDocker: (signal: NodeJS.Signals = "SIGTERM") => restartDocker(machine, docker, signal),
    waitForDocker: () => dockerAnswers(machine, docker),
  });
}

/** The network whose addresses are the same on every node. */
export async function createFleetNetwork(docker: Docker): Promise<void> {
  await docker.createNetwork({
    Name: FLEET_NETWORK,
    Driver: "macvlan",
    IPAM: { Config: [{ Subnet: SUBNET, Gateway: addressOf(BRIDGE_OCTET), IPRange: WORKLOAD_ADDRESSES }] },
    Options: { parent: "eth0" },
  });
}

async function restartDocker(machine: Machine, docker: Docker, signal: NodeJS.Signals): Promise<void> {
  const daemon = async () => (await machine.exec(["cat", "/run/dockerd.pid"])).stdout;
  const before = await daemon();
  await machine.exec(["kill", `-${signal.replace("SIG", "")}`, before]);
  await waitFor(`dockerd of ${machine.name} to be started again`, DOCKER_DEADLINE_SECONDS, async () => (await daemon()) !== before);
  await dockerAnswers(machine, docker);
}

async function dockerAnswers(machine: Machine, docker: Docker): Promise<void> {
  const answers = async () => {
    if (!existsSync(`/proc/${machine.pid}`)) throw new Error(`${machine.name} has stopped`);
    return docker.ping().then(
      () => true,
      () => false,
    );
  };
  await waitFor(`dockerd of ${machine.name} to answer`, DOCKER_DEADLINE_SECONDS, answers).catch(async (error: unknown) => {
    // The log goes with the lab.
    const log = await readFile(join(machine.folder, "log", "dockerd.log"), "utf8").catch(() => "");
    throw new Error(`${String(error)}\n${log.split("\n").slice(-LOG_LINES).join("\n")}`, { cause: error });
  });
}
