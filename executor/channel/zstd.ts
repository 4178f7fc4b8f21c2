import { execFile, spawn } from "node:child_process";
import { Duplex } from "node:stream";
import { promisify } from "node:util";
import { EvenkeelError } from "../../platform/errors.js";

const run = promisify(execFile);

/** A child process, for Node 20 has no zstd of its own; beside our event loop in any case. */
export const compress = () => zstd(["--fast=1", "-T0", "-c"]);
export const decompress = () => zstd(["-d", "-c"]);

export async function hasZstd(): Promise<boolean> {
  return run("zstd", ["--version"]).then(
    () => true,
    () => false,
  );
}

/** Ends with an error unless zstd was content. */
function zstd(args: readonly string[]): Duplex {
  const child = spawn("zstd", args, { stdio: ["pipe", "pipe", "pipe"] });
  let words = "";
  child.stderr.on("data", (chunk) => {
    words += chunk;
  });
  const ended = new Promise<number>((resolve) => {
    child.once("error", () => resolve(127));
    child.once("close", (code) => resolve(code ?? 128));
  });
  const output = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of child.stdout) yield chunk as Buffer;
    const code = await ended;
    if (code !== 0) throw new EvenkeelError("TRANSFER_FAILED", `zstd ended with ${code}: ${words.trim()}`);
  };
  const stream = Duplex.from({ writable: child.stdin, readable: output() });
  stream.once("close", () => child.kill());
  return stream;
}
