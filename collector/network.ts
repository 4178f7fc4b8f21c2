import { type CounterSet, makeCounter } from "./counter.js";
import { parseCount } from "./parse-number.js";
import type { Probe } from "./probe.js";

export interface InterfaceBytes {
  readonly name: string;
  readonly receiveBytes: number;
  readonly transmitBytes: number;
}

/** Links whose traffic passes another link of the node as well, by the names that Docker, libvirt and the kernel give them. */
const INNER_LINK = /^(lo|docker\d|br-|veth|virbr|ifb|dummy|tun|tap|cni|flannel|cali|vxlan)/;

/** Reads /proc/net/dev. */
export function parseNetDev(text: string): InterfaceBytes[] {
  return text
    .split("\n")
    .slice(2)
    .filter((line) => line.includes(":"))
    .map((line) => {
      const colon = line.lastIndexOf(":");
      const fields = line
        .slice(colon + 1)
        .trim()
        .split(/\s+/);
      return { name: line.slice(0, colon).trim(), receiveBytes: parseCount(fields[0]), transmitBytes: parseCount(fields[8]) };
    });
}

export interface NetworkCounters {
  readonly receive: CounterSet;
  readonly transmit: CounterSet;
}

/** Counts what crosses the node's border: network cards if it has any, else (a node in a namespace) every link but inner ones. */
export async function readNetwork(probe: Probe): Promise<NetworkCounters | null> {
  const links = await probe.read("network", "/proc/self/net/dev", parseNetDev);
  if (links === null) return null;
  const isCard = await Promise.all(links.map((link) => probe.exists(`/sys/class/net/${link.name}/device`)));
  const cards = links.filter((_, index) => isCard[index]);
  const counted = cards.length > 0 ? cards : links.filter((link) => !INNER_LINK.test(link.name));
  const counters = (field: "receiveBytes" | "transmitBytes"): CounterSet =>
    new Map(counted.map((link) => [link.name, makeCounter(link[field], "net")!]));
  return { receive: counters("receiveBytes"), transmit: counters("transmitBytes") };
}
