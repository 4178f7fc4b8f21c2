import { spawn } from "node:child_process";
import { type Readable, Transform } from "node:stream";
import { EvenkeelError } from "../../platform/errors.js";

/** A folder as a tar stream that ends in an error, not early, when tar fails. `onBytes` counts as it flows. */
export function tarFolder(folder: string, onBytes: (bytes: number) => void): Readable {
  const child = spawn("tar", ["-c", "--sparse", "-C", folder, "-f", "-", "."], { stdio: ["ignore", "pipe", "pipe"] });
  let words = "";
  child.stderr.on("data", (chunk) => {
    words += chunk;
  });
  const exited = new Promise<number>((resolve) => child.once("close", (code) => resolve(code ?? 1)));
  const counted = new Transform({
    highWaterMark: 1 << 20,
    transform(chunk: Buffer, _encoding, callback) {
      onBytes(chunk.length);
      callback(null, chunk);
    },
    flush(callback) {
      exited.then((code) => callback(code === 0 ? null : new EvenkeelError("TRANSFER_FAILED", `tar: ${words.trim()}`)));
    },
  });
  child.once("error", (error) => counted.destroy(error));
  return child.stdout.pipe(counted);
}
