import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Runs a command in a process's network namespace. */
async function inNetwork(pid: number, command: string, ...args: string[]): Promise<string> {
  return (await run("nsenter", ["-t", String(pid), "-n", command, ...args])).stdout;
}

/**
 * A CRIU that was killed leaves connections in repair mode, in which they say nothing for ever. Reset, both ends hear of it and can connect again: unless the
 * program, to whom every read fails then, has closed them before.
 */
export async function resetConnections(pid: number): Promise<void> {
  await inNetwork(pid, "ss", "--kill", "--tcp", "state", "connected");
}

/** Tells the neighbours that the copy is here: its traffic may have been drawn to the destination already. */
export async function announceInside(pid: number, addresses: readonly string[]): Promise<void> {
  for (const address of addresses) {
    const device = /\d+: (\S+?)[@\s]/.exec(await inNetwork(pid, "ip", "-o", "-4", "addr", "show", "to", address))?.[1];
    if (device !== undefined) await inNetwork(pid, "arping", "-q", "-c", "1", "-U", "-I", device, address).catch(() => {});
  }
}
