import { type ChildProcess, spawn as spawnChild } from "node:child_process";
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { constants } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { projectPath } from "../platform/paths.js";
import { createGroup, type Size } from "./cgroups.js";
import { waitFor } from "./deadline.js";

/** Paths and numbers every machine of a lab shares. */
export interface Site {
  readonly lab: string;
  readonly folder: string;
  readonly sharedDirectory: string;
  readonly rootDirectory: string;
  readonly fabric: Fabric;
  /** Lines of /etc/hosts. */
  readonly hosts: string;
}

export interface Fabric {
  readonly folder: string;
  readonly pid: number;
}

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export interface ExecOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly cwd?: string;
  readonly timeoutSeconds?: number;
  /** True: a non-zero end throws (the default). */
  readonly reject?: boolean;
}

/** A process started in a machine by name. */
export interface Service {
  readonly name: string;
  /** The process itself, as the host numbers it. */
  readonly pid: number;
  readonly logFile: string;
  /** Resolves with the exit code, or 128 + signal number. */
  readonly ended: Promise<number>;
  /** Sends the signal to the process alone and, unless it is one that lets it live, waits for its end. Default SIGTERM. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Ends it (SIGKILL unless told otherwise) and starts the same command anew. */
  restart(signal?: NodeJS.Signals): Promise<Service>;
}

/** One computer of the lab: namespaces of its own, plugged into the lab's bridge. */
export interface Machine {
  readonly name: string;
  readonly address: string;
  /** Its process 1, as the host numbers it. */
  readonly pid: number;
  readonly folder: string;
  exec(command: readonly string[], options?: ExecOptions): Promise<Output>;
  /** Starts a process that stays; its output goes to <folder>/log/<name>.log. The name must be free. */
  spawn(
    command: readonly string[],
    options: { readonly name: string; readonly env?: Readonly<Record<string, string>>; readonly cwd?: string },
  ): Promise<Service>;
  /** The running process of that name. */
  service(name: string): Service | undefined;
  /** Takes its link down: packets to and from it are lost. */
  cut(): Promise<void>;
  heal(): Promise<void>;
  /** A power cut: every process of it dies at once. */
  stop(): Promise<void>;
}

export interface MachineOptions extends Size {
  readonly name: string;
  /** Last octet of its address. */
  readonly octet: number;
  /** Services process 1 keeps running. */
  readonly services: readonly ("containerd" | "docker")[];
  /** Files of its own, by path below /. */
  readonly files: Readonly<Record<string, string>>;
}

export const SUBNET_PREFIX = 24;
export const addressOf = (octet: number) => `10.77.0.${octet}`;
const ENVIRONMENT = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root", LANG: "C.UTF-8" };
const ENTER = projectPath("lab/scripts/enter.sh");
const START_DEADLINE_SECONDS = 30;
/** Signals that leave the process alive. */
const GENTLE: readonly NodeJS.Signals[] = ["SIGSTOP", "SIGCONT", "SIGHUP", "SIGUSR1", "SIGUSR2"];

/** Starts a script that becomes the machine; resolves with the number of its process 1 as the host sees it. */
export async function launch(script: string, folder: string, args: readonly string[] = []): Promise<number> {
  const log = openSync(join(folder, "log", "start.log"), "a");
  const child = spawnChild("bash", [projectPath(`lab/scripts/${script}`), folder, ...args], {
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  child.unref();
  const pidFile = join(folder, "log", "pid");
  return waitFor(`${folder} to start`, START_DEADLINE_SECONDS, async () => {
    if (existsSync(pidFile)) return Number(await readFile(pidFile, "utf8"));
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`${folder} did not start: ${await readFile(join(folder, "log", "start.log"), "utf8")}`);
    return undefined;
  });
}

export async function startMachine(site: Site, options: MachineOptions): Promise<Machine> {
  const { name, octet } = options;
  const folder = join(site.folder, name);
  const address = addressOf(octet);
  const port = `port${octet}`;
  for (const part of ["upper/etc", "work", "root", "docker", "containerd", "evenkeel", "log"])
    await mkdir(join(folder, part), { recursive: true });
  await mkdir(join(site.sharedDirectory, name), { recursive: true });
  for (const [path, text] of Object.entries({ "etc/hosts": site.hosts, "etc/hostname": `${name}\n`, ...options.files })) {
    await mkdir(join(folder, "upper", path, ".."), { recursive: true });
    await writeFile(join(folder, "upper", path), text);
  }
  const group = await createGroup(site.lab, name, options);
  await writeFile(join(folder, "cgroups"), `${group.start.join("\n")}\n`);
  await writeFile(join(folder, "enter"), `${group.enter.join("\n")}\n`);
  const settings = {
    NAME: name,
    ADDRESS: address,
    PREFIX: SUBNET_PREFIX,
    MAC: `02:4d:00:00:00:${octet.toString(16).padStart(2, "0")}`,
    PORT: port,
    FABRIC_PID: site.fabric.pid,
    ROOT: site.rootDirectory,
    SHARED: site.sharedDirectory,
    PROJECT: projectPath("").replace(/\/$/, ""),
    SERVICES: options.services.join(" "),
  };
  await writeFile(
    join(folder, "settings"),
    Object.entries(settings)
      .map(([key, value]) => `${key}='${value}'\n`)
      .join(""),
  );
  const pid = await launch("start-machine.sh", folder);
  return openMachine({ name, address, folder, pid, setLink: (state) => setLink(site.fabric, port, state) });
}

async function setLink(fabric: Fabric, port: string, state: "up" | "down"): Promise<void> {
  await execa(ENTER, [fabric.folder, "ip", "link", "set", port, state]);
}

/** A handle on a machine that runs, from this process or another. */
export function openMachine({
  name,
  address,
  folder,
  pid,
  setLink,
}: {
  name: string;
  address: string;
  folder: string;
  pid: number;
  setLink(state: "up" | "down"): Promise<void>;
}): Machine {
  const services = new Map<string, Service>();
  const machine: Machine = {
    name,
    address,
    pid,
    folder,
    async exec(command, { env, input, cwd, timeoutSeconds, reject = true } = {}) {
      const result = await execa(ENTER, [folder, ...inFolder(command, cwd)], {
        extendEnv: false,
        env: { ...ENVIRONMENT, ...env },
        ...(input === undefined ? { stdin: "ignore" } : { input }),
        ...(timeoutSeconds === undefined ? {} : { timeout: timeoutSeconds * 1000 }),
        reject,
      });
      return { stdout: result.stdout ?? "", stderr: result.stderr ?? "", exitCode: result.exitCode ?? 255 };
    },
    async spawn(command, { name: serviceName, env, cwd }) {
      if (services.has(serviceName)) throw new Error(`${serviceName} runs on ${name} already`);
      const logFile = join(folder, "log", `${serviceName}.log`);
      const log = openSync(logFile, "a");
      const child = spawnChild(ENTER, [folder, ...inFolder(command, cwd)], {
        detached: true,
        stdio: ["ignore", log, log],
        env: { ...ENVIRONMENT, ...env },
      });
      closeSync(log);
      const ended = new Promise<number>((resolve) =>
        child.once("exit", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0))),
      );
      void ended.then(() => services.delete(serviceName));
      const inner = await waitFor(`${serviceName} on ${name} to start`, START_DEADLINE_SECONDS, () => childOf(child));
      child.unref();
      const service: Service = {
        name: serviceName,
        pid: inner,
        logFile,
        ended,
        async kill(signal = "SIGTERM") {
          if (child.exitCode !== null || child.signalCode !== null) return;
          child.ref();
          process.kill(inner, signal);
          if (!GENTLE.includes(signal)) await ended;
          child.unref();
        },
        async restart(signal = "SIGKILL") {
          await service.kill(signal);
          return machine.spawn(command, { name: serviceName, env, cwd });
        },
      };
      services.set(serviceName, service);
      return service;
    },
    service: (serviceName) => services.get(serviceName),
    cut: () => setLink("down"),
    heal: () => setLink("up"),
    async stop() {
      process.kill(pid, "SIGKILL");
      await waitFor(`${name} to stop`, START_DEADLINE_SECONDS, () => !existsSync(`/proc/${pid}`));
    },
  };
  return machine;
}

function inFolder(command: readonly string[], cwd: string | undefined): readonly string[] {
  return cwd === undefined ? command : ["env", `--chdir=${cwd}`, ...command];
}

/** nsenter forks to enter the process namespace: the command is its only child. Throws when it ended before it could be seen. */
function childOf(child: ChildProcess): number | undefined {
  if (child.exitCode !== null || child.signalCode !== null)
    throw new Error(`${child.spawnargs.join(" ")} ended at once with ${child.exitCode ?? child.signalCode}`);
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
      if (Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === child.pid) return Number(entry);
    } catch {
      // It ended while we looked.
    }
  }
  return undefined;
}
