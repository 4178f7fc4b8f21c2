import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { projectPath } from "../../platform/paths.js";

/** `changing`: the process changes its mappings and the daemon does not know yet. */
export type Filled = "ok" | "changing" | "gone";

export interface PageFiller {
  /** Puts pages where a process has none, by the daemon's descriptor of it. Those that are there stay as they are. @throws when the kernel refuses. */
  fill(uffd: number, start: number, body: Buffer): Promise<Filled>;
  /** Has threads that wait for that page look again. */
  wake(uffd: number, start: number): Promise<void>;
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
  const answer = async () => String((await Promise.race([lines.next(), ended])).value);
  return {
    async fill(uffd, start, body) {
      child.stdin.write(`fill ${uffd} ${start} ${body.length}\n`);
      child.stdin.write(body);
      const word = await answer();
      if (word === "ok" || word === "changing" || word === "gone") return word;
      throw new Error(`pages at 0x${start.toString(16)} cannot be filled in: ${word}`);
    },
    async wake(uffd, start) {
      child.stdin.write(`wake ${uffd} ${start}\n`);
      await answer();
    },
    close: () => void child.kill("SIGKILL"),
  };
}
