import type { LabNode } from "../docker-host.js";
import type { Progress } from "../root-file-system.js";
import type { Site } from "../site.js";
import { ensureBooted } from "./booted.js";
import { buildGuest } from "./build-guest.js";
import { type GuestSize, whyNoGuests } from "./guest.js";
import { startVirtualNode } from "./virtual-node.js";

type VirtualNode = GuestSize & { readonly name: string; readonly index: number };

/** Makes ready what the virtual nodes of a lab are copied from, and returns what starts one. */
export async function prepareVirtualNodes(
  site: Site,
  nodes: readonly GuestSize[],
  onProgress: Progress,
): Promise<(node: VirtualNode) => Promise<LabNode>> {
  const why = whyNoGuests();
  if (why !== null) throw new Error(why);
  const guestFolder = await buildGuest(site.rootDirectory, onProgress);
  // One after the other: each takes the machine's cores.
  for (const node of nodes) await ensureBooted(site, guestFolder, node, onProgress);
  return async (node) => startVirtualNode(site, node, { guestFolder, booted: await ensureBooted(site, guestFolder, node, onProgress) });
}
