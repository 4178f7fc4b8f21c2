import { spawn } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { constants } from "node:os";
import { join } from "node:path";
import { waitFor } from "../deadline.js";
import { ENTER, environment } from "../enter.js";
import type { Machine } from "../machine.js";
import { GENTLE, type Service, type ServiceOptions } from "../service.js";
import { inGuest } from "./guest-command.js";

const START_DEADLINE_SECONDS = 60;

/** Starts the services of one guest and knows those that run. */
export class GuestServices {
  readonly #outer: Machine;
  readonly #running = new Map<string, Service>();

  constructor(outer: Machine) {
    this.#outer = outer;
  }

  get(name: string): Service | undefined {
    return this.#running.get(name);
  }

  /** The guest has lost power. */
  forget(): void {
    this.#running.clear();
  }

  async start(command: readonly string[], options: ServiceOptions): Promise<Service> {
    const { name, env, cwd } = options;
    const { folder } = this.#outer;
    if (this.#running.has(name)) throw new Error(`${name} runs in ${folder} already`);
    // The guest's /var/log/lab is this folder.
    const pidFile = join(folder, "log", `${name}.pid`);
    await rm(pidFile, { force: true });
    const words = inGuest(command, {
      ...(env === undefined ? {} : { env }),
      ...(cwd === undefined ? {} : { cwd }),
      before: `exec </dev/null >>/var/log/lab/${name}.log 2>&1; echo $$ >/var/log/lab/${name}.pid; `,
    });
    const child = spawn(ENTER, [folder, ...words], { detached: true, stdio: "ignore", env: environment() });
    const ended = new Promise<number>((resolve) =>
      child.once("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? "SIGKILL"])),
    );
    const logFile = join(folder, "log", `${name}.log`);
    const pid = await waitFor(`${name} in the guest of ${folder} to start`, START_DEADLINE_SECONDS, async () => {
      if (child.exitCode !== null) throw new Error(`${name} ended at once with ${child.exitCode}; see ${logFile}`);
      const text = await readFile(pidFile, "utf8").catch(() => "");
      return text.endsWith("\n") && Number(text);
    });
    child.unref();
    const service: Service = {
      name,
      pid,
      logFile,
      ended,
      kill: async (signal = "SIGTERM") => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        child.ref();
        // It may have ended by itself; that is what is waited for.
        await this.#outer.exec(inGuest(["kill", `-${signal.replace("SIG", "")}`, String(pid)]), { reject: false });
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
