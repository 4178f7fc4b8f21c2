import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { type Finding, finding } from "../../../platform/findings.js";
import { joinedBy } from "../../../platform/joined-by.js";
import type { Inspection } from "./describe.js";
import { hasIPv6 } from "./has-ipv6.js";

const run = promisify(execFile);

/** A network namespace as `ip -json` and `nft -j` tell of it, and the names of tables that only the older iptables shows. */
export interface NetworkFacts {
  readonly links: readonly Link[];
  readonly routes: readonly {
    readonly dst?: string;
    readonly gateway?: string;
    readonly protocol?: string;
    readonly type?: string;
    readonly dev?: string;
  }[];
  readonly rules: readonly { readonly priority?: number }[];
  readonly nftables: readonly { readonly chain?: { readonly family: string; readonly table: string; readonly name: string } }[];
  readonly legacyTables: readonly string[];
}

interface Link {
  readonly ifname: string;
  readonly address?: string;
  readonly flags?: readonly string[];
  readonly addr_info?: readonly { readonly local?: string; readonly scope?: string; readonly dynamic?: boolean }[];
}

/** What Docker gave it. */
export interface Endpoints {
  readonly macAddresses: ReadonlySet<string>;
  readonly addresses: ReadonlySet<string>;
  readonly gateways: ReadonlySet<string>;
}

/** Those that every network namespace has. */
const KERNEL_RULES: ReadonlySet<number> = new Set([0, 32766, 32767]);
const KERNEL_PROTOCOLS: ReadonlySet<string> = new Set(["kernel", "ra", "redirect"]);
/** By which Docker leads questions for names to its own server, each in the table nat. */
const DOCKER_CHAINS: ReadonlySet<string> = new Set(["DOCKER_OUTPUT", "DOCKER_POSTROUTING", "OUTPUT", "POSTROUTING", "PREROUTING", "INPUT"]);
/** Where its `firewall-backend` is nftables they are in a table of their own (moby, libnetwork/resolver_unix.go). */
const DOCKER_TABLE = "docker-dns";

/**
 * A container that may change its network (NET_ADMIN) and has: the destination's Docker makes the network anew, as it makes any, and the program would go on without
 * its own addresses, routes and firewall, believing that they are there.
 */
export async function ownNetworkFindings({ State, HostConfig, NetworkSettings }: Inspection): Promise<Finding[]> {
  if (State.Pid === 0 || !mayChange(HostConfig) || joinedBy(HostConfig.NetworkMode) !== null || HostConfig.NetworkMode === "host")
    return [];
  const attached = Object.values(NetworkSettings.Networks);
  const some = (values: readonly (string | undefined)[]) =>
    new Set(values.filter((value) => value !== undefined && value !== "") as string[]);
  const own = findOwn(await readFacts(State.Pid), {
    macAddresses: some(attached.map((each) => each.MacAddress)),
    addresses: some(attached.flatMap((each) => [each.IPAddress, each.GlobalIPv6Address])),
    gateways: some(attached.flatMap((each) => [each.Gateway, each.IPv6Gateway])),
  });
  return own.length === 0 ? [] : [finding("network-changed", `In its network it has made ${own.join(", ")}`)];
}

function mayChange({ Privileged, CapAdd }: Inspection["HostConfig"]): boolean {
  const added = ((CapAdd ?? []) as string[]).map((name) => name.toUpperCase().replace(/^CAP_/, ""));
  return Privileged === true || added.includes("NET_ADMIN") || added.includes("ALL");
}

/** In words, what in a network is of neither the kernel's nor Docker's making. */
export function findOwn(
  { links, routes, rules, nftables, legacyTables }: NetworkFacts,
  { macAddresses, addresses, gateways }: Endpoints,
): string[] {
  const isDockers = (link: Link) => link.address !== undefined && macAddresses.has(link.address);
  // Modules of the kernel put devices that are down into every namespace.
  const strange = links.filter((link) => link.ifname !== "lo" && !isDockers(link) && link.flags?.includes("UP"));
  const strangeNames = new Set(strange.map(({ ifname }) => ifname));
  return [
    ...strange.map(({ ifname }) => `interface ${ifname}`),
    ...links
      .filter(({ ifname }) => !strangeNames.has(ifname))
      .flatMap(({ ifname, addr_info = [] }) =>
        addr_info
          .filter(({ local = "", scope, dynamic }) => scope === "global" && !dynamic && !addresses.has(local))
          .map(({ local }) => `address ${local} on ${ifname}`),
      ),
    ...routes
      .filter(({ dst, gateway, protocol = "", type = "unicast", dev = "" }) => {
        if (KERNEL_PROTOCOLS.has(protocol) || type !== "unicast" || strangeNames.has(dev)) return false;
        return dst !== "default" || gateway === undefined || !gateways.has(gateway);
      })
      .map(({ dst, gateway }) => `route ${dst}${gateway === undefined ? "" : ` via ${gateway}`}`),
    ...rules.filter(({ priority = 0 }) => !KERNEL_RULES.has(priority)).map(({ priority }) => `routing rule ${priority}`),
    ...new Set(
      nftables.flatMap(({ chain }) => {
        if (chain === undefined || chain.table === DOCKER_TABLE || /^(CRIU|evenkeel)/.test(chain.table)) return [];
        if (chain.table === "nat" && DOCKER_CHAINS.has(chain.name)) return [];
        return [`firewall table ${chain.family} ${chain.table}`];
      }),
    ),
    ...legacyTables.filter((name) => name !== "nat").map((name) => `firewall table ${name}`),
  ];
}

async function readFacts(pid: number): Promise<NetworkFacts> {
  const inside = async (...command: string[]) =>
    (await run("nsenter", ["-t", String(pid), "-n", ...command], { maxBuffer: 64 * 2 ** 20 })).stdout;
  const ip = async (...words: string[]) => JSON.parse((await inside("ip", "-json", ...words)) || "[]");
  const six = (await hasIPv6()) ? (...words: string[]) => ip("-6", ...words) : async () => [];
  const [links, routes, sixRoutes, rules, sixRules, nftables] = await Promise.all([
    ip("address"),
    ip("-4", "route", "show", "table", "main"),
    six("route", "show", "table", "main"),
    ip("-4", "rule"),
    six("rule"),
    inside("nft", "-j", "list", "chains").then((text) => JSON.parse(text).nftables as NetworkFacts["nftables"]),
  ]);
  const legacy = await Promise.all(
    ["ip_tables_names", "ip6_tables_names"].map((file) => readFile(`/proc/${pid}/net/${file}`, "utf8").catch(() => "")),
  );
  return {
    links,
    routes: [...routes, ...sixRoutes],
    rules: [...rules, ...sixRules],
    nftables,
    legacyTables: legacy.flatMap((text) => text.split("\n").filter(Boolean)),
  };
}
