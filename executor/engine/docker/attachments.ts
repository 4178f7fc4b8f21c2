import type { NetworkAttachment } from "../engine.js";
import type { Inspection } from "./describe.js";
import type { DockerHost } from "./docker-host.js";
import { type NetworkInspect, uplinkDevices } from "./uplinks.js";

/** The networks that a container is attached to itself; none for one that has joined another's. */
export async function readAttachments(host: DockerHost, seen: Inspection): Promise<NetworkAttachment[]> {
  const networks: NetworkAttachment[] = [];
  for (const [network, endpoint] of Object.entries(seen.NetworkSettings.Networks)) {
    const addresses = {
      ipv4Address: endpoint.IPAddress ?? "",
      ipv6Address: endpoint.GlobalIPv6Address ?? "",
      macAddress: endpoint.MacAddress ?? "",
    };
    if (network === "host" || network === "none") {
      networks.push({ network, driver: network, ...addresses, keeps: network === "none" });
      continue;
    }
    const inspected = (await host.docker.getNetwork(network).inspect()) as NetworkInspect;
    const keeps = inspected.Driver === "macvlan" || (await uplinkDevices(inspected)).length > 0;
    networks.push({ network, driver: inspected.Driver, ...addresses, keeps });
  }
  return networks;
}
