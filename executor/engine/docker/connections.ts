import { writeFile } from "node:fs/promises";
import type { WorkloadDescription } from "../engine.js";

/** Tells the scripts that a move closes connections; they look for it beside their FIFOs. */
const MARK = "close-connections";

/** Whether the workload's TCP connections end when it moves, since a network of it ends at its node. Preflight has asked its label. */
export function closesConnections(description: WorkloadDescription): boolean {
  return description.networks.some((network) => !network.keeps) || description.sharedNetwork.owner?.keeps === false;
}

export async function markConnections(folder: string, description: WorkloadDescription): Promise<void> {
  if (closesConnections(description)) await writeFile(`${folder}/${MARK}`, "");
}
