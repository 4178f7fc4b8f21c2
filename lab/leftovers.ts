import { readdirSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { processesOfLab } from "./cgroups.js";
import { waitFor } from "./deadline.js";
import { labsFolder, labsGroup } from "./folders.js";
import { labFolder, labsWithFolders } from "./lab-record.js";
import { strayedSysctls } from "./sysctls.js";
import { listAbandoned } from "./take-down.js";

/** What labs left behind on this machine, one line each for a person. What belongs to a lab that is looked after does not count. */
export async function listLeftovers(): Promise<string[]> {
  const abandoned = await listAbandoned();
  const isQuiet = (await labsWithFolders()).every((name) => abandoned.includes(name));
  return [
    ...abandoned.map((name) => `lab ${name}: folder ${labFolder(name)}, cgroup ${labsGroup()}/${name} or sysctls`),
    ...abandoned.flatMap((name) => processesOfLab(name).map((pid) => `process ${pid} (${commandOf(pid)}) of lab ${name}`)),
    ...(await strayedSysctls()),
    ...mountsOnHost(),
    ...linksOnHost(),
    // A lab that runs has such processes by right.
    ...(isQuiet ? processesApart() : []),
  ];
}

/** Those that are still there after this time, but for `known` ones: another lab may be in the midst of being taken down. */
export async function listLastingLeftovers(seconds: number, known: ReadonlySet<string> = new Set()): Promise<string[]> {
  let left: string[] = [];
  const isNone = async () => {
    left = (await listLeftovers()).filter((line) => !known.has(line));
    return left.length === 0;
  };
  await waitFor("nothing to be left behind", seconds, isNone).catch(() => undefined);
  return left;
}

function mountPoints(pid: number | "self"): string[] {
  const lines = readFileSync(`/proc/${pid}/mountinfo`, "utf8").split("\n");
  return lines.flatMap((line) => {
    const upper = /upperdir=([^, ]+)/.exec(line)?.[1];
    const [, , , root, mountPoint] = line.split(" ");
    return [root ?? "", mountPoint ?? "", upper ?? ""];
  });
}

const isOfLabs = (path: string) => path.startsWith(`${labsFolder()}/`);

function mountsOnHost(): string[] {
  return mountPoints("self")
    .filter(isOfLabs)
    .map((path) => `mount ${path}`);
}

/** The lab makes no link in the host's namespace; one with a name or address of the lab has escaped. */
function linksOnHost(): string[] {
  const addresses = Object.entries(networkInterfaces()).flatMap(([name, all]) => (all ?? []).map(({ address }) => ({ name, address })));
  return [
    ...readdirSync("/sys/class/net")
      .filter((name) => /^port\d+$/.test(name))
      .map((name) => `network link ${name}`),
    ...addresses.filter(({ address }) => address.startsWith("10.77.0.")).map(({ name, address }) => `address ${address} on ${name}`),
  ];
}

/** Processes that see a lab's files although no lab is left: they slipped out of its cgroup. */
function processesApart(): string[] {
  const found: string[] = [];
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      if (mountPoints(Number(entry)).some(isOfLabs))
        found.push(`process ${entry} (${commandOf(Number(entry))}) in the namespaces of a lab`);
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim().slice(0, 80);
  } catch {
    return "ended";
  }
}
