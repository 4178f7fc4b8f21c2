import { spawn } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { waitFor } from "../deadline.js";
import { ENTER, environment } from "../enter.js";
import type { Machine } from "../machine.js";
import { hasEnded, type Launch } from "../service.js";
import { inGuest } from "./guest-command.js";

const START_DEADLINE_SECONDS = 180;

/** Starts commands in the guest of a machine. */
export function launchInGuest(outer: Machine): Launch {
  const { folder } = outer;
  return async (command, { name, env, cwd }) => {
    // The guest's /var/log/lab is this folder.
    const pidFile = join(folder, "log", `${name}.pid`);
    const logFile = join(folder, "log", `${name}.log`);
    await rm(pidFile, { force: true });
    const words = inGuest(command, {
      ...(env === undefined ? {} : { env }),
      ...(cwd === undefined ? {} : { cwd }),
      before: `exec </dev/null >>/var/log/lab/${name}.log 2>&1; echo $$ >/var/log/lab/${name}.pid; `,
    });
    const child = spawn(ENTER, [folder, ...words], { detached: true, stdio: "ignore", env: environment() });
    const pid = await waitFor(`${name} in the guest of ${folder} to start`, START_DEADLINE_SECONDS, async () => {
      if (hasEnded(child)) throw new Error(`${name} ended at once with ${child.exitCode ?? child.signalCode}; see ${logFile}`);
      const text = await readFile(pidFile, "utf8").catch(() => "");
      return text.endsWith("\n") && Number(text);
    });
    return {
      child,
      pid,
      logFile,
      send: async (signal) => {
        await outer.exec(inGuest(["kill", `-${signal.replace("SIG", "")}`, String(pid)]), { reject: false });
      },
    };
  };
}
