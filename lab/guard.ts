import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export interface Guard {
  /** Has the guardian take the lab down, and waits until it has. False when it could not, or was dead already. */
  release(): Promise<boolean>;
}

/** Starts the guardian in a session of its own; returns when it is on watch. */
export async function startGuard(lab: string): Promise<Guard> {
  const script = fileURLToPath(new URL("guardian.js", import.meta.url));
  const child = spawn(process.execPath, [script, lab, String(process.pid)], {
    detached: true,
    stdio: ["pipe", "pipe", "inherit"],
    cwd: "/",
  });
  const { stdin, stdout } = child;
  const ended = once(child, "exit");
  const [first] = await Promise.race([once(stdout, "data"), ended]);
  if (!Buffer.isBuffer(first)) throw new Error(`the guardian of lab ${lab} did not start`);
  stdin.on("error", () => undefined);
  child.unref();
  for (const stream of [stdin, stdout]) (stream as unknown as { unref(): void }).unref();
  return {
    async release() {
      if (child.exitCode !== null || child.signalCode !== null) return false;
      child.ref();
      stdin.end();
      await ended;
      return child.exitCode === 0;
    },
  };
}
