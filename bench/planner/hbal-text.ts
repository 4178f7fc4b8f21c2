import type { Snapshot } from "../../policies/types.js";

const MEBIBYTE = 2 ** 20;
/** Hundredths of a core stand for hbal's virtual CPUs, so that it sees the use that Evenkeel sees. */
const CPU_UNITS_PER_CORE = 100;
const GROUP = "uuid-fleet";
const ANY_SIZE = "0,0,0,0,0,0|0,0,0,0,0,0;1000000000,1000000,1000000000,16,16,16";

/**
 * The cluster in the text format of Ganeti's htools (section order and columns: htools(1), `-t`). Every instance is on
 * external storage, hence any node is one plain migration away: the case that favours hbal.
 */
export function toHbalText(snapshot: Snapshot): string {
  const free = new Map(snapshot.nodes.map((node) => [node.id, mebibytes(node.memoryCapacityBytes)]));
  for (const workload of snapshot.workloads) {
    free.set(workload.node, (free.get(workload.node) ?? 0) - mebibytes(workload.memoryUsedBytes ?? 0));
  }
  const nodes = snapshot.nodes.map((node, index) => {
    const memory = mebibytes(node.memoryCapacityBytes);
    const role = index === 0 ? "M" : "N";
    return `${node.id}|${memory}|0|${free.get(node.id)}|1000|1000|${node.cpuCapacityCores * CPU_UNITS_PER_CORE}|${role}|${GROUP}|1||N|0|0|1.0`;
  });
  const instances = snapshot.workloads.map((workload) => {
    const memory = mebibytes(workload.memoryUsedBytes ?? 0);
    const cpu = Math.round((workload.cpuUsedCores ?? 0) * CPU_UNITS_PER_CORE);
    const group = workload.constraints.antiAffinityGroup;
    return `${workload.id}|${memory}|0|${cpu}|running|Y|${workload.node}||ext|${group === null ? "" : `apart:${group}`}|0|-`;
  });
  const policies = ["", "fleet"].map((owner) => `${owner}|${ANY_SIZE}|ext|1.0|32.0`);
  return [[`fleet|${GROUP}|preferred||`], nodes, instances, ["htools:iextags:apart"], policies]
    .map((lines) => lines.join("\n"))
    .join("\n\n");
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / MEBIBYTE);
}
