import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { execa } from "execa";
import { type Finding, finding } from "../../../platform/findings.js";
import type { NetworkAttachment } from "../engine.js";
import { bridgeName, type NetworkInspect } from "./uplinks.js";

const run = promisify(execFile);

/** One may be lost; each waits for a second. */
const QUESTIONS = 3;
/** Before the last three bytes of the parent's own: it is always the same for a port that lets but so many addresses in. */
const STRANGER = "0a:45:4b";

/**
 * Whether the workload is heard where its network here has its end: of two parents, or ports, nothing else tells that they are in one segment. Asks as RFC 5227 has it,
 * so that nobody learns anything by the question. A parent is asked for by another MAC address than its own, as the workload would have: a hypervisor may let none but that
 * pass. @param all its networks: of several interfaces in one segment any may answer
 */
export async function segmentFindings(
  network: NetworkInspect,
  { network: name, ipv4Address, macAddress }: NetworkAttachment,
  all: readonly NetworkAttachment[],
): Promise<Finding[]> {
  if (ipv4Address === "") return [];
  const own = new Set(all.map((each) => each.macAddress).filter((address) => address !== ""));
  const ask = (device: string) => isHeard(device, ipv4Address, own);
  const parent = network.Driver === "macvlan" ? network.Options?.["parent"] : undefined;
  if (parent !== undefined && (await inTurn(parent, () => asStranger(parent, ask)))) return [];
  const device = parent ?? bridgeName(network);
  const isNear = await ask(device);
  if (isNear && parent === undefined) return [];
  const words = isNear
    ? `${device} here is answered by ${ipv4Address}, but no other MAC address is: a switch or hypervisor lets none pass`
    : `${ipv4Address} with ${macAddress} is not heard at ${device} here, where ${name} ends`;
  return [finding("segment-apart", words)];
}

async function isHeard(device: string, address: string, macAddresses: ReadonlySet<string>): Promise<boolean> {
  for (let question = 1; question <= QUESTIONS; question++) {
    // It ends with 1 for an answer, and for what the workload happens to tell everyone, which is none.
    const words = await run("arping", ["-D", "-c", "1", "-w", "1", "-I", device, address], { env: { ...process.env, LC_ALL: "C" } }).then(
      ({ stdout }) => stdout,
      ({ stdout = "" }: { stdout?: string }) => stdout,
    );
    const answers = [...words.matchAll(/^Unicast reply .*\[([0-9a-f:]{17})\]/gim)];
    if (answers.some(([, each]) => macAddresses.has(each!.toLowerCase()))) return true;
  }
  return false;
}

/** Makes an interface on the parent for one question. Where there can be none (the one of a parent in passthru mode is taken), the parent asks itself. */
async function asStranger(parent: string, ask: (device: string) => Promise<boolean>): Promise<boolean> {
  const read = async (file: string) => (await readFile(`/sys/class/net/${parent}/${file}`, "utf8").catch(() => "")).trim();
  const [index, address] = [await read("ifindex"), await read("address")];
  const device = `evenkeel${index}`;
  // One that died while it asked has left it.
  await remove(device);
  const { failed } = await execa("ip", ["-batch", "-"], {
    input: [
      `link add link ${parent} name ${device} address ${STRANGER}:${address.split(":").slice(3).join(":")} type macvlan mode bridge`,
      `link set ${device} addrgenmode none`,
      `link set ${device} up`,
    ].join("\n"),
    reject: false,
  });
  try {
    return await ask(failed ? parent : device);
  } finally {
    await remove(device);
  }
}

async function remove(device: string): Promise<void> {
  await execa("ip", ["link", "delete", device], { reject: false });
}

const turns = new Map<string, Promise<unknown>>();

/** One question at a time for each parent: the interface that asks has one name, and one address. */
function inTurn<T>(parent: string, work: () => Promise<T>): Promise<T> {
  const turn = (turns.get(parent) ?? Promise.resolve()).then(work, work);
  const settled = turn.catch(() => {});
  turns.set(parent, settled);
  settled.then(() => turns.get(parent) === settled && turns.delete(parent));
  return turn;
}
