import { type ChildProcess, spawn } from "node:child_process";
import { projectPath } from "../../platform/paths.js";
import { waitFor } from "./wait-for.js";

export interface SchedulerProcess {
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  /** All that it has logged. */
  log(): string;
  /** Its address, once it serves. */
  serving(): Promise<string>;
}

const PROGRAM = [process.execPath, projectPath("dist/scheduler/main.js")];

/** The built scheduler as a process of its own, with that configuration file and no other environment. `program`: what starts it. */
export function startSchedulerProcess(configFile: string, program: readonly string[] = PROGRAM): SchedulerProcess {
  const [command, ...args] = program;
  const child = spawn(command!, args, {
    env: { PATH: process.env["PATH"], EVENKEEL_CONFIG: configFile },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let text = "";
  child.stderr.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  return {
    child,
    exit: new Promise((resolve) => child.once("exit", resolve)),
    log: () => text,
    serving: async () => {
      const port = await waitFor("the scheduler to serve", () => /"port":(\d+),"mode":"\w+","msg":"serving"/.exec(text)?.[1]);
      return `http://127.0.0.1:${port}`;
    },
  };
}
