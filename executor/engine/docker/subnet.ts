import { BlockList, isIPv6 } from "node:net";

/** Whether an address is in a subnet; none is in one of the other family. */
export function contains(subnet: string, address: string): boolean {
  const [network = "", prefix = ""] = subnet.split("/");
  const family = isIPv6(network) ? "ipv6" : "ipv4";
  if (isIPv6(address) !== isIPv6(network)) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(prefix), family);
  return list.check(address, family);
}
