import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { promisify } from "node:util";
import { execa } from "execa";
import { findProgram } from "../../../platform/find-program.js";
import type { Neighbour, WorkloadDescription } from "../engine.js";

const run = promisify(execFile);

/** Of which the kernel knows, or has lately known, that they are there. */
const KNOWN_STATES: ReadonlySet<string> = new Set(["REACHABLE", "STALE", "DELAY", "PROBE", "PERMANENT"]);
/** The kernel's own table holds no more without being told to. */
const MOST = 1024;
const DEVICE = /^[\w.@-]{1,15}$/;
const MAC_ADDRESS = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

/**
 * Whom the workload knows by hardware address in networks that go with it. What this node itself is there, say the gateway of a bridge, is left out: the
 * destination has its own. Empty where it cannot be read: then it asks for each anew.
 */
export async function readNeighbours(initPid: number, { networks, sharedNetwork }: WorkloadDescription): Promise<readonly Neighbour[]> {
  if (sharedNetwork.owner !== null || networks.length === 0 || !networks.every(({ keeps }) => keeps)) return [];
  try {
    const [{ stdout }, own] = await Promise.all([run("nsenter", ["-t", String(initPid), "-n", "ip", "-json", "neigh"]), ownAddresses()]);
    return parseNeighbours(stdout).filter(({ macAddress }) => !own.has(macAddress));
  } catch {
    return [];
  }
}

/** @param text what `ip -json neigh` prints */
export function parseNeighbours(text: string): Neighbour[] {
  const entries = JSON.parse(text) as { dst?: string; dev?: string; lladdr?: string; state?: string[] }[];
  return entries
    .flatMap(({ dst = "", dev = "", lladdr = "", state = [] }) =>
      state.some((each) => KNOWN_STATES.has(each)) ? [{ device: dev, address: dst, macAddress: lladdr }] : [],
    )
    .filter(isSound)
    .slice(0, MOST);
}

/**
 * Tells the copy's network whom it knows, before anything in it runs: its first words then go out at once, and none is lost in the queue of those that wait
 * for an address. They count as old, so the kernel asks again by and by. Never throws: without, it asks for each anew.
 */
export async function introduceNeighbours(initPid: number, neighbours: readonly Neighbour[]): Promise<void> {
  const lines = neighbours
    .filter(isSound)
    .map(({ device, address, macAddress }) => `neigh replace ${address} lladdr ${macAddress} dev ${device} nud stale`);
  if (lines.length === 0) return;
  const words = ["-t", String(initPid), "-n", findProgram("ip"), "-force", "-batch", "-"];
  await execa(findProgram("nsenter"), words, { input: `${lines.join("\n")}\n`, reject: false });
}

function isSound({ device, address, macAddress }: Neighbour): boolean {
  return DEVICE.test(device) && isIP(address) !== 0 && MAC_ADDRESS.test(macAddress);
}

async function ownAddresses(): Promise<ReadonlySet<string>> {
  const devices = await readdir("/sys/class/net");
  return new Set(
    await Promise.all(devices.map(async (device) => (await readFile(`/sys/class/net/${device}/address`, "utf8").catch(() => "")).trim())),
  );
}
