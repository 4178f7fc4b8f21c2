import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { type Finding, finding } from "../../../platform/findings.js";
import type { NetworkAttachment, NetworkTerms, WorkloadDescription } from "../engine.js";
import type { Inspection } from "./describe.js";
import { contains } from "./subnet.js";
import type { NetworkInspect } from "./uplinks.js";

const run = promisify(execFile);

/** Docker's default for bridges, whatever the interfaces of the host have. */
const BRIDGE_MTU_BYTES = 1500;
const MTU_OPTION = "com.docker.network.driver.mtu";

export interface TermsOffered extends NetworkInspect {
  readonly Internal?: boolean;
  readonly IPAM?: { readonly Config?: readonly { readonly Subnet?: string; readonly Gateway?: string }[] | null };
}

/** What a running workload has in each of the networks that go with it: its connections count on that. */
export async function readNetworkTerms(seen: Inspection, { networks }: WorkloadDescription): Promise<Record<string, NetworkTerms>> {
  const kept = networks.filter(({ keeps, macAddress }) => keeps && macAddress !== "");
  if (kept.length === 0 || seen.State.Pid === 0) return {};
  const { stdout } = await run("nsenter", ["-t", String(seen.State.Pid), "-n", "ip", "-json", "link"]);
  const mtus = new Map((JSON.parse(stdout) as { address?: string; mtu: number }[]).map(({ address, mtu }) => [address, mtu]));
  return Object.fromEntries(
    kept.map(({ network, driver, macAddress }) => {
      const { IPPrefixLen = 0, GlobalIPv6PrefixLen = 0, Gateway = "", IPv6Gateway = "" } = seen.NetworkSettings.Networks[network] ?? {};
      // The gateway of a bridge is its own host, by whatever address that has.
      const gateways = driver === "bridge" ? [] : [Gateway, IPv6Gateway].filter((gateway) => gateway !== "");
      return [network, { prefixLengths: [IPPrefixLen, GlobalIPv6PrefixLen], gateways, mtuBytes: mtus.get(macAddress) ?? null }];
    }),
  );
}

/** What of them the network of that name here would not give. */
export async function termFindings(
  network: TermsOffered,
  { network: name, driver, ipv4Address, ipv6Address }: NetworkAttachment,
  { prefixLengths, gateways, mtuBytes }: NetworkTerms,
): Promise<Finding[]> {
  const differs = (words: string) => finding("network-differs", `${name}: ${words}`);
  const pools = network.IPAM?.Config ?? [];
  const prefixes = [ipv4Address, ipv6Address].flatMap((address, index) => {
    const subnet = address === "" ? undefined : pools.map(({ Subnet = "" }) => Subnet).find((each) => contains(each, address));
    if (subnet === undefined || Number(subnet.split("/")[1]) === prefixLengths[index]) return [];
    return [differs(`the subnet of ${address} has ${prefixLengths[index]} bits, and is ${subnet} here`)];
  });
  const others = gateways.flatMap((gateway) => {
    const here = network.Internal ? "none" : bare(pools.find(({ Subnet = "" }) => contains(Subnet, gateway))?.Gateway ?? gateway);
    return here === gateway ? [] : [differs(`its gateway is ${gateway}, and ${here} here`)];
  });
  const mtuHere = await mtuOf(network, driver);
  return [
    ...prefixes,
    ...others,
    ...(mtuBytes !== null && mtuHere !== null && mtuHere < mtuBytes
      ? [differs(`frames of ${mtuBytes} bytes reach it, and of ${mtuHere} here (MTU)`)]
      : []),
  ];
}

/** Docker tells a gateway that it has chosen itself with the length of its prefix. */
const bare = (address: string) => address.replace(/\/.*$/, "");

async function mtuOf(network: NetworkInspect, driver: string): Promise<number | null> {
  const asked = Number(network.Options?.[MTU_OPTION] ?? 0);
  if (asked > 0) return asked;
  if (driver !== "macvlan") return BRIDGE_MTU_BYTES;
  const text = await readFile(`/sys/class/net/${network.Options?.["parent"]}/mtu`, "utf8").catch(() => null);
  return text === null ? null : Number(text);
}
