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

const START_DEADLINE_SECONDS = 30;
/** Signals that leave the process alive. */
export const GENTLE: readonly NodeJS.Signals[] = ["SIGSTOP", "SIGCONT", "SIGHUP", "SIGUSR1", "SIGUSR2"];

/** Starts the services of one machine and knows those that run. */
export class Services {
  readonly #folder: string;
  readonly #running = new Map<string, Service>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  get(name: string): Service | undefined {
    return this.#running.get(name);
  }

  async start(command: readonly string[], options: ServiceOptions): Promise<Service> {
    const { name, env, cwd } = options;
    if (this.#running.has(name)) throw new Error(`${name} runs in ${this.#folder} already`);
    const logFile = join(this.#folder, "log", `${name}.log`);
    const log = openSync(logFile, "a");
    const child = spawn(ENTER, entered(this.#folder, command, cwd), { detached: true, stdio: ["ignore", log, log], env: environment(env) });
    closeSync(log);
    const ended = new Promise<number>((resolve) =>
      child.once("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? "SIGKILL"])),
    );
    const pid = await waitFor(`${name} in ${this.#folder} to start`, START_DEADLINE_SECONDS, () => commandOf(child, logFile));
    child.unref();
    const service: Service = {
      name,
      pid,
      logFile,
      ended,
      kill: async (signal = "SIGTERM") => {
        if (hasEnded(child)) return;
        child.ref();
        send(pid, signal);
        if (!GENTLE.includes(signal)) await ended;
        child.unref();
      },
      restart: async (signal = "SIGKILL") => {
        await service.kill(signal);
        return this.start(command, options);
      },
    };
    this.#running.set(name, service);
    void ended.then(() => this.#running.delete(name));
    return service;
  }
}

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;

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
