import { readFile } from "node:fs/promises";
import { type Finding, finding } from "../../../platform/findings.js";
import { readMembers } from "../../preflight/members.js";
import { cgroupFlags } from "./cgroup-flags.js";
import type { Inspection } from "./describe.js";
import { containersOwn } from "./freezer.js";

/** CRIU, its `tar` and our scripts are in the container's control group while it is restored. */
const HELPERS = 16;

/** What control groups have to do with it. */
export async function groupFindings({ Id, State, HostConfig }: Inspection): Promise<Finding[]> {
  if (State.Pid === 0) return [];
  const limit = HostConfig.PidsLimit ?? 0;
  const { tree } = await readMembers(State.Pid);
  const threads = limit <= 0 ? 0 : (await Promise.all(tree.map(countThreads))).reduce((sum, each) => sum + each, 0);
  // In version 1 CRIU makes them anew.
  const groups = cgroupFlags().length === 0 ? [] : await Promise.all(tree.map(readGroup));
  const nested = nestedIn(groups, Id);
  return [
    ...(limit > 0 && threads + HELPERS > limit ? [finding("pids-short", `It has ${threads} of ${limit}; ${HELPERS} more are needed`)] : []),
    ...(nested === null ? [] : [finding("nested-cgroup", `One of its processes is in ${nested}`)]),
  ];
}

/** The first that is not the container's itself. @param groups /proc/<pid>/cgroup of each process, where version 2 is alone */
export function nestedIn(groups: readonly string[], containerId: string): string | null {
  for (const text of groups) {
    const group = /^0::(.*)$/m.exec(text)?.[1];
    if (group === undefined) continue;
    const own = containersOwn(group, containerId);
    if (group !== own) return group.slice(own.length);
  }
  return null;
}

async function countThreads(pid: number): Promise<number> {
  return Number(/^Threads:\s*(\d+)/m.exec(await readFile(`/proc/${pid}/status`, "utf8").catch(() => ""))?.[1] ?? 0);
}

/** Empty once the process is gone. */
async function readGroup(pid: number): Promise<string> {
  return readFile(`/proc/${pid}/cgroup`, "utf8").catch(() => "");
}
