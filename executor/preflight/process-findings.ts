import { readFile } from "node:fs/promises";
import { type Finding, finding } from "../../platform/findings.js";
import { fileFindings } from "./file-findings.js";
import { type Members, nameOf, namespaceOf, readMembers } from "./members.js";
import { readOpenFiles } from "./open-files.js";
import { hugePageBytes } from "./room.js";
import { parseSmaps, sumOncePerFile } from "./smaps.js";
import { socketFindings } from "./socket-findings.js";

/** Of these each process of a workload must be in the same as its init; namespaces of mounts and of the network may be nested. */
const SHARED_NAMESPACES = ["pid", "user", "ipc", "uts", "time"];

export interface Tenancy {
  /** The engine says that it runs something in it. */
  readonly hasSession: boolean;
  /** Its pid namespace is another's too, whose processes are not its. */
  readonly sharesPids: boolean;
}

/** What CRIU would trip over in the processes of a running workload. */
export async function processFindings(initPid: number, { hasSession, sharesPids }: Tenancy): Promise<Finding[]> {
  const members = await readMembers(initPid);
  const files = await readOpenFiles(members.tree);
  const lists = await Promise.all([
    sharesPids ? [] : strayFindings(members, hasSession),
    namespaceFindings(initPid, members),
    tracerFindings(members),
    fileFindings(files),
    socketFindings(initPid, files),
  ]);
  return lists.flat();
}

async function strayFindings({ strays }: Members, hasSession: boolean): Promise<Finding[]> {
  const names = await Promise.all(strays.slice(0, 3).map(nameOf));
  if (hasSession)
    return [
      finding(
        "exec-session",
        `A docker exec session, or a health check that does not end, is in it${strays.length > 0 ? `: ${names.join(", ")}` : ""}`,
      ),
    ];
  if (strays.length === 0) return [];
  return [finding("stray-process", `${names.join(", ")} runs in its namespaces, but was not started by it`)];
}

async function namespaceFindings(initPid: number, { tree }: Members): Promise<Finding[]> {
  for (const kind of SHARED_NAMESPACES) {
    const own = await namespaceOf(initPid, kind);
    for (const pid of tree) {
      const its = await namespaceOf(pid, kind);
      if (own !== null && its !== null && its !== own)
        return [finding("nested-namespace", `${await nameOf(pid)} has a ${kind} namespace of its own`)];
    }
  }
  return [];
}

async function tracerFindings({ tree }: Members): Promise<Finding[]> {
  for (const pid of tree) {
    const tracer = /^TracerPid:\s*([1-9]\d*)/m.exec(await readFile(`/proc/${pid}/status`, "utf8").catch(() => ""))?.[1];
    if (tracer !== undefined) return [finding("traced", `${await nameOf(pid)} is traced by ${await nameOf(Number(tracer))}`)];
  }
  return [];
}

/** Bytes of huge pages that the workload has; they must be free at the destination. */
export async function readHugePageBytes(initPid: number): Promise<number> {
  // The kernel walks all memory of a process to tell.
  if ((await hugePageBytes("nr_hugepages")) === 0) return 0;
  const { tree } = await readMembers(initPid);
  return sumHugePages(await Promise.all(tree.map((pid) => readFile(`/proc/${pid}/smaps`, "utf8").catch(() => ""))));
}

/** @param texts `smaps` of each process. What processes share counts once. */
export function sumHugePages(texts: readonly string[]): number {
  const processes = texts.map(parseSmaps);
  const own = processes.flat().reduce((sum, mapping) => sum + mapping.size("Private_Hugetlb"), 0);
  return own + sumOncePerFile(processes, (mapping) => mapping.size("Shared_Hugetlb"));
}
