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

/** Lets an rsync daemon talk on the stream; rsync calls this "daemon over a remote shell". */
export function serveRsync(configPath: string, socket: Duplex, log: Logger): void {
  const child = spawn("rsync", ["--server", "--daemon", `--config=${configPath}`, "."], { stdio: ["pipe", "pipe", "pipe"] });
  child.stderr.on("data", (chunk: Buffer) => log.warn({ rsync: chunk.toString().trim() }, "rsync daemon"));
  child.once("error", (error) => socket.destroy(error));
  child.stdin.on("error", () => {});
  socket.on("error", () => child.kill());
  socket.pipe(child.stdin);
  child.stdout.pipe(socket);
}
