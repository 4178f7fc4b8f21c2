import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { labFolder } from "./lab-record.js";
import { launch } from "./launch.js";
import { addressOf, BRIDGE_OCTET, type Fabric, SUBNET_PREFIX } from "./site.js";

/** Starts the network namespace whose bridge all machines of the lab are plugged into; nothing of it shows on the host. */
export async function startFabric(lab: string): Promise<Fabric> {
  const folder = join(labFolder(lab), "fabric");
  await mkdir(join(folder, "log"), { recursive: true });
  const pid = await launch("start-fabric.sh", folder, { lab, name: "fabric", size: {} }, [`${addressOf(BRIDGE_OCTET)}/${SUBNET_PREFIX}`]);
  return { folder, pid };
}
