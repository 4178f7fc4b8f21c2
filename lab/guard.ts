import { spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { labFolder } from "./lab-record.js";
import { identify, type ProcessIdentity } from "./process-identity.js";

export interface Guard {
  readonly identity: ProcessIdentity;
  /** Has the guardian take the lab down, and waits until it has. False when it was dead already. */
  release(): Promise<boolean>;
}

/** Starts the guardian in a session of its own; returns when it is on watch. */
export async function startGuard(lab: string): Promise<Guard> {
  const log = openSync(join(labFolder(lab), "guardian.log"), "a");
  const child = spawn(process.execPath, [fileURLToPath(new URL("guardian.js", import.meta.url)), lab], {
    detached: true,
    stdio: ["pipe", "pipe", log],
  });
  const ended = once(child, "exit");
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new Error("the guardian has no pipes");
  await Promise.race([once(stdout, "data"), ended]);
  if (child.exitCode !== null || child.pid === undefined)
    throw new Error(`the guardian of lab ${lab} did not start; see ${labFolder(lab)}/guardian.log`);
  stdin.on("error", () => undefined);
  child.unref();
  for (const stream of [stdin, stdout]) (stream as unknown as { unref(): void }).unref();
  return {
    identity: identify(child.pid),
    async release() {
      if (child.exitCode !== null || child.signalCode !== null) return false;
      child.ref();
      stdin.end();
      await ended;
      return child.exitCode === 0;
    },
  };
}
