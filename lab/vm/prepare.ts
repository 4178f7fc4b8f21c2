import type { LabNode } from "../docker-host.js";
import { cacheFolder } from "../folders.js";
import { buildImages } from "../images/build-images.js";
import type { Progress } from "../root-file-system.js";
import type { Site } from "../site.js";
import { ensureBooted } from "./booted.js";
import { buildGuest } from "./build-guest.js";
import { type GuestSize, whyNoGuests } from "./guest.js";
import { startVirtualNode } from "./virtual-node.js";

/** The image of most of the lab's workloads is on every node from the beginning: under emulation it takes most of a minute to bring it there. */
const WORKLOADS_IMAGE = "evenkeel-lab/python:1";

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
  const images = (await buildImages(site.rootDirectory, cacheFolder())).filter(({ reference }) => reference === WORKLOADS_IMAGE);
  const bootedFor = (size: GuestSize) => ensureBooted(site, guestFolder, { size, images }, onProgress);
  for (const node of nodes) await bootedFor(node);
  return async (node) => startVirtualNode(site, node, { guestFolder, booted: await bootedFor(node) });
}
