import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import type { Duplex } from "node:stream";
import type { Logger } from "../../platform/log.js";
import type { FileTree } from "../engine/engine.js";

/** One rsync module a tree. The daemon changes its root into the tree, so that nothing outside it can be named. */
export async function writeRsyncConfig(path: string, trees: readonly FileTree[]): Promise<void> {
  const modules = trees.map((tree) => `[${tree.name}]\npath = ${tree.path}\n`);
  await writeFile(
    path,
    [
      "uid = 0",
      "gid = 0",
      "use chroot = yes",
      "numeric ids = yes",
      "read only = no",
      "reverse lookup = no",
      "log file = /dev/null",
      ...modules,
    ].join("\n"),
    { mode: 0o600 },
  );
}

export interface RsyncServing {
  /** Ends it at once. */
  end(): void;
  /** Resolves when none of its processes is left: nothing writes to the trees any more. */
  readonly gone: Promise<void>;
}

/** Lets an rsync daemon talk on the stream; rsync calls this "daemon over a remote shell". */
export function serveRsync(configPath: string, socket: Duplex, log: Logger): RsyncServing {
  // In a group of its own, since the one that writes the files is a child of the one that we start.
  const child = spawn("rsync", ["--server", "--daemon", `--config=${configPath}`, "."], {
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  child.stderr.on("data", (chunk: Buffer) => log.warn({ rsync: chunk.toString().trim() }, "rsync daemon"));
  child.once("error", (error) => socket.destroy(error));
  child.stdin.on("error", () => {});
  socket.on("error", () => child.kill());
  socket.pipe(child.stdin);
  child.stdout.pipe(socket);
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  // Each of its processes holds it open.
  const silent = new Promise<void>((resolve) => child.stderr.once("close", () => resolve()));
  return {
    end: () => {
      socket.destroy();
      // Where the one that we started has ended, its child may live on.
      if (child.pid !== undefined) killGroup(child.pid);
    },
    gone: Promise.all([ended, silent]).then(() => {}),
  };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
