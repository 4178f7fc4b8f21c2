import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { waitFor } from "./deadline.js";
import { ENTER, entered, environment } from "./enter.js";

/** A process started in a machine by name. */
export interface Service {
  readonly name: string;
  /** The process itself, as the host numbers it. */
  readonly pid: number;
  readonly logFile: string;
  /** Resolves with the exit code, or 128 + signal number. */
  readonly ended: Promise<number>;
  /** Sends the signal (default SIGTERM) to the process alone and, unless it is one that lets it live, waits for its end. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Ends it (SIGKILL unless told otherwise) and starts the same command anew. */
  restart(signal?: NodeJS.Signals): Promise<Service>;
}

export interface ServiceOptions {
  readonly name: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

const START_DEADLINE_SECONDS = 90;
/** Signals that leave the process alive. */
const GENTLE: readonly NodeJS.Signals[] = ["SIGSTOP", "SIGCONT", "SIGHUP", "SIGUSR1", "SIGUSR2"];

/** A process that has been started, as the one who started it knows it. */
export interface Launched {
  /** What ends when it ends. */
  readonly child: ChildProcess;
  readonly pid: number;
  readonly logFile: string;
  /** It may have ended by itself; then this does nothing. */
  send(signal: NodeJS.Signals): Promise<void>;
}

/** Starts a command somewhere, detached. Resolves once the command itself runs. @throws Error when it ended at once. */
export type Launch = (command: readonly string[], options: ServiceOptions) => Promise<Launched>;

/** Starts the services of one machine and knows those that run. */
export class Services {
  readonly #launch: Launch;
  readonly #running = new Map<string, Service>();

  constructor(launch: Launch) {
    this.#launch = launch;
  }

  get(name: string): Service | undefined {
    return this.#running.get(name);
  }

  /** All have ended at once, with the machine's power. */
  forget(): void {
    this.#running.clear();
  }

  async start(command: readonly string[], options: ServiceOptions): Promise<Service> {
    const { name } = options;
    const before = this.#running.get(name);
    if (before !== undefined) throw new Error(`${name} runs already; its log is ${before.logFile}`);
    const { child, pid, logFile, send } = await this.#launch(command, options);
    const ended = new Promise<number>((resolve) => {
      const tell = () => resolve(child.exitCode ?? 128 + constants.signals[child.signalCode ?? "SIGKILL"]);
      if (hasEnded(child)) tell();
      else child.once("exit", tell);
    });
    child.unref();
    const service: Service = {
      name,
      pid,
      logFile,
      ended,
      kill: async (signal = "SIGTERM") => {
        if (hasEnded(child)) return;
        child.ref();
        await send(signal);
        if (!GENTLE.includes(signal)) await ended;
        child.unref();
      },
      restart: async (signal = "SIGKILL") => {
        await service.kill(signal);
        return this.start(command, options);
      },
    };
    this.#running.set(name, service);
    void ended.then(() => {
      if (this.#running.get(name) === service) this.#running.delete(name);
    });
    return service;
  }
}

/** Starts commands in a machine that is namespaces of this kernel. */
export function launchInMachine(folder: string): Launch {
  return async (command, { name, env, cwd }) => {
    const logFile = join(folder, "log", `${name}.log`);
    const log = openSync(logFile, "a");
    const child = spawn(ENTER, entered(folder, command, cwd), { detached: true, stdio: ["ignore", log, log], env: environment(env) });
    closeSync(log);
    const pid = await waitFor(`${name} in ${folder} to start`, START_DEADLINE_SECONDS, () => commandOf(child, logFile));
    return { child, pid, logFile, send: async (signal) => send(pid, signal) };
  };
}

export const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself; that is what is waited for.
  }
}

/** nsenter forks to enter the process namespace: the command is its only child. Throws when it ended before it could be seen. */
function commandOf(child: ChildProcess, logFile: string): number | undefined {
  if (hasEnded(child))
    throw new Error(`${child.spawnargs.join(" ")} ended at once with ${child.exitCode ?? child.signalCode}; see ${logFile}`);
  for (const entry of readdirSync("/proc")) {
    if (/^\d+$/.test(entry) && parentOf(entry) === child.pid) return Number(entry);
  }
  return undefined;
}

function parentOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined;
  }
}
