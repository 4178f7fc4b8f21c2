import type Docker from "dockerode";
import { type Finding, finding } from "../../../platform/findings.js";

/** As the kernel tells them: `0-3`. */
export const ONLINE_CPUS = "/sys/devices/system/cpu/online";

/** What Docker says of its node (`docker info`): which limits its kernel and control groups let it set, and how many CPUs there are. */
export interface LimitsOffered {
  readonly NCPU: number;
  readonly MemoryLimit: boolean;
  readonly SwapLimit: boolean;
  readonly CpuCfsQuota: boolean;
  readonly CPUShares: boolean;
  readonly CPUSet: boolean;
  readonly PidsLimit: boolean;
}

/** Of a limit that it cannot set Docker only warns, and makes the container without it; for more CPUs than there are it makes none. */
export function limitFindings(asked: Docker.HostConfig, offered: LimitsOffered, onlineCpus: string): Finding[] {
  const isSet = (value: number | string | null | undefined) =>
    value !== undefined && value !== null && value !== "" && value !== 0 && value !== -1;
  const { Memory, MemorySwap, NanoCpus, CpuQuota, CpuShares, CpusetCpus, CpusetMems, PidsLimit } = asked;
  const lost = (
    [
      ["memory", offered.MemoryLimit, [Memory]],
      ["swap", offered.SwapLimit, [MemorySwap]],
      ["CPU time", offered.CpuCfsQuota, [NanoCpus, CpuQuota]],
      ["share of CPUs", offered.CPUShares, [CpuShares]],
      ["set of CPUs", offered.CPUSet, [CpusetCpus, CpusetMems]],
      ["processes", offered.PidsLimit, [PidsLimit]],
    ] as const
  ).flatMap(([what, canSet, values]) => (!canSet && values.some(isSet) ? [what] : []));
  return [
    ...(lost.length > 0 ? [finding("limit-lost", `Docker here cannot limit its ${lost.join(", ")}`)] : []),
    ...((NanoCpus ?? 0) > offered.NCPU * 1e9
      ? [finding("cpus-short", `It is given ${NanoCpus! / 1e9}; there are ${offered.NCPU} here`)]
      : []),
    ...(highestOf(CpusetCpus ?? "") > highestOf(onlineCpus)
      ? [finding("cpus-short", `It is bound to ${CpusetCpus}; there are ${onlineCpus} here`)]
      : []),
  ];
}

/** Of a list such as `0-3,7`; -1 = it is empty. */
function highestOf(list: string): number {
  return Math.max(-1, ...(list.match(/\d+/g) ?? []).map(Number));
}
