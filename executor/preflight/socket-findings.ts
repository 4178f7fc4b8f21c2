import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type Finding, finding } from "../../platform/findings.js";
import { nameOf } from "./members.js";
import type { OpenFile } from "./open-files.js";

const run = promisify(execFile);

/** Unix sockets whose other end is outside the workload. The kernel tells both ends of each (unix_diag, by `ss`). */
export async function socketFindings(initPid: number, files: readonly OpenFile[]): Promise<Finding[]> {
  const holders = new Map<number, number>();
  for (const { target, pid } of files) {
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined) holders.set(Number(inode), pid);
  }
  if (holders.size === 0) return [];
  // Where one of the two is missing, that is told as such (tool-missing).
  const { stdout } = await run("nsenter", ["-t", String(initPid), "-n", "ss", "-xanH"], { maxBuffer: 64 << 20 }).catch(() => ({
    stdout: "",
  }));
  for (const { inode, peer } of parseUnixSockets(stdout)) {
    const holder = holders.get(inode);
    if (holder !== undefined && peer !== 0 && !holders.has(peer))
      return [
        finding("unix-socket-external", `${await nameOf(holder)} is connected through a unix socket to a process outside the container`),
      ];
  }
  return [];
}

/** Lines of `ss -xanH`: kind, state, two queues, path and inode, path and inode of the peer. */
export function parseUnixSockets(text: string): { readonly inode: number; readonly peer: number }[] {
  return text.split("\n").flatMap((line) => {
    const found = /^u_\S+\s+\S+\s+\d+\s+\d+\s+.*?\s(\d+)\s+\S+\s+(\d+)\s*$/.exec(line);
    return found === null ? [] : [{ inode: Number(found[1]), peer: Number(found[2]) }];
  });
}
