import { writeFile } from "node:fs/promises";
import type { WorkloadDescription } from "../engine.js";

/** Tells the scripts that a move closes connections; they look for it beside their FIFOs. */
const MARK = "close-connections";
/** Tells them that Docker will announce an IPv6 address, and fails if it cannot. */
const IPV6_MARK = "ipv6";

/** Whether the workload's TCP connections end when it moves, since a network of it ends at its node. Preflight has asked its label. */
export function closesConnections(description: WorkloadDescription): boolean {
  return description.networks.some((network) => !network.keeps) || description.sharedNetwork.owner?.keeps === false;
}

export async function markConnections(folder: string, description: WorkloadDescription): Promise<void> {
  if (description.networks.some(({ ipv6Address }) => ipv6Address !== "")) await writeFile(`${folder}/${IPV6_MARK}`, "");
  if (closesConnections(description)) await writeFile(`${folder}/${MARK}`, "");
}
