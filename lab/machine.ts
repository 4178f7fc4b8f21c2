import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { projectPath } from "../platform/paths.js";
import type { Size } from "./cgroups.js";
import { waitFor } from "./deadline.js";
import { type ExecOptions, execIn, type Output } from "./enter.js";
import { launch } from "./launch.js";
import { launchInMachine, type Service, type ServiceOptions, Services } from "./service.js";
import { addressOf, type Site, SUBNET_PREFIX } from "./site.js";

/** One computer of the lab: namespaces of its own, plugged into the lab's bridge. */
export interface Machine {
  readonly name: string;
  readonly address: string;
  /** Its process 1, as the host numbers it; another one after it was started again. */
  readonly pid: number;
  readonly folder: string;
  exec(command: readonly string[], options?: ExecOptions): Promise<Output>;
  /** Starts a process that stays; its output goes to <folder>/log/<name>.log. The name must be free. */
  spawn(command: readonly string[], options: ServiceOptions): Promise<Service>;
  /** The running process of that name. */
  service(name: string): Service | undefined;
  /** Takes its link down: packets to and from it are lost. */
  cut(): Promise<void>;
  heal(): Promise<void>;
  /** A power cut: every process of it dies at once. Its disk stays. */
  stop(): Promise<void>;
  /** Power on again: the disk as it was, /run empty, no service running but those of process 1. */
  start(): Promise<void>;
}

export interface MachineOptions extends Size {
  readonly name: string;
  /** Last octet of its address. */
  readonly octet: number;
  /** Services process 1 keeps running. */
  readonly services: readonly ("containerd" | "docker")[];
  /** Files of its own, by path below /. */
  readonly files: Readonly<Record<string, string>>;
  /** A folder of the host's that it sees, read only, at /var/lib/guest. */
  readonly guestFolder?: string;
}

const STOP_DEADLINE_SECONDS = 90;
/** About a day: what a workload would sleep too long, or wake too early, if its clocks were not carried. */
const UPTIME_SECONDS_APART = 100_000;
const PARTS = ["upper", "work", "root", "docker", "containerd", "evenkeel", "log"];

export async function startMachine(site: Site, options: MachineOptions): Promise<Machine> {
  const { name, octet } = options;
  const folder = join(site.folder, name);
  const port = `port${octet}`;
  await furnish(site, folder, options);
  const powerOn = () => launch("start-machine.sh", folder, { lab: site.lab, name, size: options });
  const setLink = (state: "up" | "down") => execIn(site.fabric.folder, ["ip", "link", "set", port, state]).then(() => undefined);
  const services = new Services(launchInMachine(folder));
  let pid = await powerOn();
  return {
    name,
    address: addressOf(octet),
    get pid() {
      return pid;
    },
    folder,
    exec: (command, execOptions) => execIn(folder, command, execOptions),
    spawn: (command, serviceOptions) => services.start(command, serviceOptions),
    service: (serviceName) => services.get(serviceName),
    cut: () => setLink("down"),
    heal: () => setLink("up"),
    async stop() {
      process.kill(pid, "SIGKILL");
      await waitFor(`${name} to stop`, STOP_DEADLINE_SECONDS, async () => {
        const isLinkGone = (await execIn(site.fabric.folder, ["ip", "link", "show", port], { reject: false })).exitCode !== 0;
        return isLinkGone && !existsSync(`/proc/${pid}`);
      });
    },
    async start() {
      pid = await powerOn();
    },
  };
}

/** Lays out the machine's disk and what its scripts need to know. */
async function furnish(site: Site, folder: string, { name, octet, services, files, guestFolder = "" }: MachineOptions): Promise<void> {
  for (const part of PARTS) await mkdir(join(folder, part), { recursive: true });
  await mkdir(join(site.sharedDirectory, name), { recursive: true });
  for (const [path, text] of Object.entries({ "etc/hosts": site.hosts, "etc/hostname": `${name}\n`, ...files })) {
    await mkdir(dirname(join(folder, "upper", path)), { recursive: true });
    await writeFile(join(folder, "upper", path), text);
  }
  const settings = {
    NAME: name,
    ADDRESS: addressOf(octet),
    PREFIX: SUBNET_PREFIX,
    MAC: `02:4d:00:00:00:${octet.toString(16).padStart(2, "0")}`,
    PORT: `port${octet}`,
    FABRIC_PID: site.fabric.pid,
    ROOT: site.rootDirectory,
    SHARED: site.sharedDirectory,
    PROJECT: projectPath("").replace(/\/$/, ""),
    SERVICES: services.join(" "),
    GUEST: guestFolder,
    UPTIME: octet * UPTIME_SECONDS_APART,
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key}='${value}'\n`);
  await writeFile(join(folder, "settings"), lines.join(""));
}
