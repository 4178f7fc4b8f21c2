import { readdirSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { labsWithGroups, processesOfLab } from "./cgroups.js";
import { labsFolder } from "./folders.js";
import { isLookedAfter, labFolder, labsWithFolders, readRecord } from "./lab-record.js";
import { labsHoldingSysctls, strayedSysctls } from "./sysctls.js";

/** What labs left behind on this machine, one line each for a person. What belongs to a lab that is looked after does not count. */
export async function listLeftovers(): Promise<string[]> {
  const abandoned = async (names: readonly string[]) => {
    const checked = await Promise.all(names.map(async (name) => (isLookedAfter(await readRecord(name)) ? [] : [name])));
    return checked.flat();
  };
  const [groups, folders, holders] = await Promise.all(
    [labsWithGroups(), labsWithFolders(), labsHoldingSysctls()].map(async (names) => abandoned(await names)),
  );
  const isBusy = (await labsWithFolders()).length > (folders ?? []).length;
  return [
    ...(groups ?? []).flatMap((name) => processesOfLab(name).map((pid) => `process ${pid} (${commandOf(pid)}) of lab ${name}`)),
    ...(groups ?? []).map((name) => `cgroup evenkeel-lab/${name}`),
    ...(folders ?? []).map((name) => `folder ${labFolder(name)}`),
    ...(holders ?? []).map((name) => `sysctls held by lab ${name}`),
    ...(await strayedSysctls()),
    ...mountsOnHost(),
    ...linksOnHost(),
    // A lab that runs has its processes in namespaces of their own.
    ...(isBusy ? [] : processesApart()),
  ];
}

function mountsOnHost(): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((path) => path.startsWith(`${labsFolder()}/`))
    .map((path) => `mount ${path}`);
}

/** The lab makes no link in the host's namespace; one with a name or address of the lab has escaped. */
function linksOnHost(): string[] {
  const addresses = Object.entries(networkInterfaces()).flatMap(([name, all]) => (all ?? []).map(({ address }) => ({ name, address })));
  const links = readdirSync("/sys/class/net").filter((name) => /^port\d+$/.test(name));
  return [
    ...links.map((name) => `network link ${name}`),
    ...addresses.filter(({ address }) => address.startsWith("10.77.0.")).map(({ name, address }) => `address ${address} on ${name}`),
  ];
}

/** Container software whose mount table is below the labs' folder although no lab is left: it slipped out of the lab's cgroup. */
function processesApart(): string[] {
  const found: string[] = [];
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const isOfLab =
        readFileSync(`/proc/${entry}/mountinfo`, "utf8").includes(` ${labsFolder()}/`) ||
        readFileSync(`/proc/${entry}/mountinfo`, "utf8").includes(`upperdir=${labsFolder()}/`);
      if (isOfLab) found.push(`process ${entry} (${commandOf(Number(entry))}) in the namespaces of a lab`);
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
