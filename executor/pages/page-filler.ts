import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { projectPath } from "../../platform/paths.js";

/** `changing`: the process changes its mappings and the daemon does not know yet. */
export type Filled = "ok" | "changing" | "gone";

export interface PageFiller {
  /** Puts pages where a process has none, by the daemon's descriptor of it. Those that are there stay as they are. @throws when the kernel refuses. */
  fill(uffd: number, start: number, body: Buffer): Promise<Filled>;
  close(): void;
}

/** Fills in pages in place of CRIU's daemon, which must not run meanwhile. */
export function startPageFiller(daemonPid: number): PageFiller {
  const child = spawn(projectPath("executor/shim/fill-pages"), [String(daemonPid)], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise<never>((_, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`fill-pages ended with ${code}`)));
  });
  ended.catch(() => {});
  child.stdin.on("error", () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async fill(uffd, start, body) {
      child.stdin.write(`${uffd} ${start} ${body.length}\n`);
      child.stdin.write(body);
      const { value } = await Promise.race([lines.next(), ended]);
      if (value === "ok" || value === "changing" || value === "gone") return value;
      throw new Error(`pages at 0x${start.toString(16)} cannot be filled in: ${value}`);
    },
    close: () => void child.kill("SIGKILL"),
  };
}
