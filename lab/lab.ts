import { existsSync } from "node:fs";
import { mkdir, statfs } from "node:fs/promises";
import { join } from "node:path";
import { waitFor } from "./deadline.js";
import { type LabNode, startNode } from "./docker-host.js";
import { startFabric } from "./fabric.js";
import { labsFolder, labsGroup, RUN_FOLDER } from "./folders.js";
import { startGuard } from "./guard.js";
import { ensureTools } from "./host-tools.js";
import { withLock } from "./kernel-lock.js";
import { isLookedAfter, labFolder, readRecord, writeRecord } from "./lab-record.js";
import { listLastingLeftovers } from "./leftovers.js";
import { type Machine, startMachine } from "./machine.js";
import { isAlive } from "./process-identity.js";
import { type Publication, publish, relay } from "./relay.js";
import { buildRoot } from "./root-file-system.js";
import { LAB_PACKAGES } from "./root-recipe.js";
import { addressOf, CLIENTS_OCTET, CONTROL_OCTET, type Fabric, MOST_NODES, nodeOctet, type Site } from "./site.js";
import { holdSysctls } from "./sysctls.js";
import { takeDown, takeDownAbandoned } from "./take-down.js";
import { VM_PACKAGES } from "./vm/guest-recipe.js";
import { prepareVirtualNodes } from "./vm/prepare.js";

export interface NodeSize {
  readonly name: string;
  readonly cpuCores: number;
  readonly memoryBytes: number;
  /** Lines of its daemon.json that differ from the usual ones. */
  readonly docker?: Readonly<Record<string, unknown>>;
}

/** What a node is: namespaces on the kernel of this machine, or a computer with a kernel of its own under emulation. */
export type LabKind = "namespaces" | "vm";

export interface LabOptions {
  readonly name: string;
  /** `namespaces` unless told otherwise. */
  readonly kind?: LabKind;
  readonly nodes: readonly NodeSize[];
  /** Told of each step as it begins; `percent` where it is known. */
  readonly onProgress?: (step: string, percent?: number) => void;
  /** A root file system to use instead of the cached one. */
  readonly rootDirectory?: string;
}

export interface Lab {
  readonly name: string;
  readonly nodes: readonly LabNode[];
  /** 10.77.0.2, no Docker, no limits: Redis, Prometheus and the scheduler run here. */
  readonly control: Machine;
  /** 10.77.0.3, likewise: who uses the workloads. */
  readonly clients: Machine;
  readonly fabric: Fabric;
  readonly stateDirectory: string;
  /** The root file system that all machines start from. Read only. */
  readonly rootDirectory: string;
  /** The same folder on the host and, as /shared, in every machine. */
  readonly sharedDirectory: string;
  node(name: string): LabNode;
  /** Path (on the host) of a unix socket that leads to a TCP port of the machine. */
  relay(where: Machine, port: number, address?: string): Promise<string>;
  /** A loopback TCP port of the host that leads to a unix socket. */
  publish(unixSocket: string, port?: number): Promise<Publication>;
  /** Takes all of it down; returns what is left, normally nothing. */
  close(): Promise<string[]>;
}

const GUARDIAN_DEADLINE_SECONDS = 180;
const LEFTOVERS_DEADLINE_SECONDS = 60;
const LONGEST_NAME = 20;
const LAB_NAME = new RegExp(`^[a-z][a-z0-9-]{0,${LONGEST_NAME - 1}}$`);
/** The kernel's limit, sockaddr_un. */
const LONGEST_SOCKET_PATH = 107;
/** OVERLAYFS_SUPER_MAGIC */
const OVERLAY_FILE_SYSTEM = 0x794c7630;

export async function startLab(options: LabOptions): Promise<Lab> {
  const { name, nodes, onProgress = () => undefined } = options;
  const isVirtual = options.kind === "vm";
  await checkHost(name, nodes);
  onProgress("clearing away what earlier labs left");
  const guard = await withLock(join(RUN_FOLDER, `${labsGroup()}.lock`), async () => {
    await clearTheWay(name);
    return startGuard(name);
  });
  const publications: Publication[] = [];

  const close = async (): Promise<string[]> => {
    await Promise.all(publications.map((publication) => publication.close()));
    if (!(await guard.release())) await takeDown(name);
    return listLastingLeftovers(LEFTOVERS_DEADLINE_SECONDS);
  };

  try {
    onProgress("preparing the root file system");
    const rootDirectory = isVirtual
      ? await buildRoot("vm", VM_PACKAGES, onProgress)
      : (options.rootDirectory ?? process.env.EVENKEEL_LAB_ROOT ?? (await buildRoot("lab", LAB_PACKAGES, onProgress)));
    onProgress("starting the machines");
    await holdSysctls(labFolder(name));
    const site = await prepareSite(name, rootDirectory, nodes);
    const makeNode = isVirtual ? await prepareVirtualNodes(site, nodes, onProgress) : (node: IndexedNode) => startNode(site, node);
    const { control, clients, started } = await startMachines(site, nodes, makeNode);
    const record = await readRecord(name);
    if (!record) throw new Error(`the record of lab ${name} is gone`);
    await writeRecord({
      ...record,
      machines: [control, clients, ...started].map((machine) => ({ name: machine.name, address: machine.address })),
    });
    return {
      name,
      nodes: started,
      control,
      clients,
      fabric: site.fabric,
      stateDirectory: site.folder,
      rootDirectory,
      sharedDirectory: site.sharedDirectory,
      node(wanted) {
        const found = started.find((node) => node.name === wanted);
        if (!found) throw new Error(`lab ${name} has no node ${wanted}`);
        return found;
      },
      relay: (where, port, address) => relay(site, where, port, address),
      async publish(unixSocket, port) {
        const publication = await publish(unixSocket, port);
        publications.push(publication);
        return publication;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

type IndexedNode = NodeSize & { readonly index: number };

async function startMachines(site: Site, nodes: readonly NodeSize[], makeNode: (node: IndexedNode) => Promise<LabNode>) {
  const starts = [
    startMachine(site, { name: "control", octet: CONTROL_OCTET, services: [], files: {} }),
    startMachine(site, { name: "clients", octet: CLIENTS_OCTET, services: [], files: {} }),
    ...nodes.map((node, index) => makeNode({ ...node, index })),
  ] as const;
  // On a failure, the others first come to rest: what is still starting while the lab is taken down would outlive it.
  await Promise.allSettled(starts);
  const [control, clients, ...started] = await Promise.all(starts);
  return { control, clients, started };
}

/** Unix sockets have short names, Docker needs a file system it can lay overlays on, and only root may do any of this. */
async function checkHost(name: string, nodes: readonly NodeSize[]): Promise<void> {
  for (const given of [name, ...nodes.map((node) => node.name)]) {
    if (!LAB_NAME.test(given)) throw new Error(`"${given}" cannot be a name in the lab: small letters, digits, dashes, at most 20`);
  }
  if (nodes.length > MOST_NODES) throw new Error(`the lab's addresses are for at most ${MOST_NODES} nodes`);
  if (process.getuid?.() !== 0) throw new Error("The lab needs root: it makes namespaces, mounts and cgroups.");
  if (!existsSync("/proc/self/ns/time"))
    throw new Error(
      "The lab needs a kernel with time namespaces (CONFIG_TIME_NS, Linux 5.6 or newer): its machines are booted days apart.",
    );
  const longest = join(labFolder(name), "shared", "x".repeat(LONGEST_NAME), "docker.sock");
  if (longest.length > LONGEST_SOCKET_PATH)
    throw new Error(`${labFolder(name)} is too long a path for the unix sockets in it; set EVENKEEL_LAB_STATE to a shorter one`);
  await mkdir(labsFolder(), { recursive: true });
  if ((await statfs(labsFolder())).type === OVERLAY_FILE_SYSTEM) {
    throw new Error(
      `${labsFolder()} is on an overlay, and Docker cannot lay its own on one; set EVENKEEL_LAB_STATE to a folder on ext4 or xfs`,
    );
  }
  await ensureTools({ ip: "iproute2", nsenter: "util-linux", flock: "util-linux" });
}

/** Takes down what nobody looks after; waits for a guardian at work on the name; throws when a live lab has it. */
async function clearTheWay(name: string): Promise<void> {
  await takeDownAbandoned();
  await waitFor(`the guardian to take the last lab ${name} down`, GUARDIAN_DEADLINE_SECONDS, async () => {
    const record = await readRecord(name);
    if (record && isAlive(record.orchestrator)) throw new Error(`a lab named ${name} is running (process ${record.orchestrator.pid})`);
    return !isLookedAfter(record);
  });
  await takeDown(name);
}

async function prepareSite(name: string, rootDirectory: string, nodes: readonly NodeSize[]): Promise<Site> {
  const folder = labFolder(name);
  const sharedDirectory = join(folder, "shared");
  await mkdir(join(sharedDirectory, "relay"), { recursive: true });
  const hosts = [
    "127.0.0.1 localhost",
    `${addressOf(CONTROL_OCTET)} control`,
    `${addressOf(CLIENTS_OCTET)} clients`,
    ...nodes.map((node, index) => `${addressOf(nodeOctet(index))} ${node.name}`),
  ];
  return { lab: name, folder, sharedDirectory, rootDirectory, fabric: await startFabric(name), hosts: `${hosts.join("\n")}\n` };
}
