import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Runs a command in a process's network namespace. */
async function inNetwork(pid: number, command: string, ...args: string[]): Promise<string> {
  return (await run("nsenter", ["-t", String(pid), "-n", command, ...args])).stdout;
}

/**
 * A frozen copy's kernel still answers ARP for its address (CRIU's lock drops IP only), and would draw packets away from the twin.
 * arp_ignore=8: reply to nobody.
 */
export async function silenceArp(pid: number): Promise<void> {
  await inNetwork(pid, "sh", "-c", "echo 8 >/proc/sys/net/ipv4/conf/all/arp_ignore");
}

/** Lets the copy answer again and tells the neighbours, since the twin may have announced itself already. */
export async function restoreArp(pid: number, addresses: readonly string[]): Promise<void> {
  await inNetwork(pid, "sh", "-c", "echo 0 >/proc/sys/net/ipv4/conf/all/arp_ignore");
  for (const address of addresses) {
    const device = /\d+: (\S+?)[@\s]/.exec(await inNetwork(pid, "ip", "-o", "-4", "addr", "show", "to", address))?.[1];
    if (device !== undefined) await inNetwork(pid, "arping", "-q", "-c", "1", "-U", "-I", device, address).catch(() => {});
  }
}
