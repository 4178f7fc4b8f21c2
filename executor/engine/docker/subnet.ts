import { BlockList, isIPv6 } from "node:net";

/** Whether an IPv4 address is in a subnet; of IPv6 subnets none is. */
export function contains(subnet: string, address: string): boolean {
  const [network = "", prefix = ""] = subnet.split("/");
  if (isIPv6(network)) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(prefix));
  return list.check(address);
}
