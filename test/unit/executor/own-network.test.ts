import { expect } from "chai";
import { findOwn, type NetworkFacts } from "../../../executor/engine/docker/own-network.js";

const ENDPOINTS = {
  macAddresses: new Set(["02:00:00:00:00:09"]),
  addresses: new Set(["10.0.0.9", "fd00::9"]),
  gateways: new Set(["10.0.0.1"]),
};
/** As Docker leaves a namespace on a network of its own. */
const DOCKERS: NetworkFacts = {
  links: [
    {
      ifname: "lo",
      flags: ["LOOPBACK", "UP"],
      addr_info: [
        { local: "127.0.0.1", scope: "host" },
        { local: "::1", scope: "host" },
      ],
    },
    { ifname: "tunl0", address: "0.0.0.0", flags: ["NOARP"], addr_info: [] },
    {
      ifname: "eth0",
      address: "02:00:00:00:00:09",
      flags: ["UP"],
      addr_info: [
        { local: "10.0.0.9", scope: "global" },
        { local: "fd00::9", scope: "global" },
        { local: "fd11::aa", scope: "global", dynamic: true },
        { local: "fe80::9", scope: "link" },
      ],
    },
  ],
  routes: [
    { dst: "default", gateway: "10.0.0.1", protocol: "boot", dev: "eth0" },
    { dst: "10.0.0.0/24", protocol: "kernel", dev: "eth0" },
    { dst: "default", gateway: "fe80::1", protocol: "ra", dev: "eth0" },
  ],
  rules: [{ priority: 0 }, { priority: 32766 }, { priority: 32767 }],
  nftables: [
    {},
    { chain: { family: "ip", table: "nat", name: "DOCKER_OUTPUT" } },
    { chain: { family: "ip", table: "docker-dns", name: "dns-dnat" } },
    { chain: { family: "inet", table: "CRIU-1", name: "in" } },
  ],
  legacyTables: ["nat"],
};
const withEth0 = (...more: { local: string; scope: string }[]): NetworkFacts => ({
  ...DOCKERS,
  links: DOCKERS.links.map((link) => (link.ifname === "eth0" ? { ...link, addr_info: [...link.addr_info!, ...more] } : link)),
});

describe("What a workload has made in its own network", () => {
  it("is nothing where all is of Docker's or the kernel's making", () => {
    expect(findOwn(DOCKERS, ENDPOINTS)).to.deep.equal([]);
  });
  it("is a further address, be it on its interface or on the loopback", () => {
    expect(findOwn(withEth0({ local: "10.0.0.200", scope: "global" }), ENDPOINTS)).to.deep.equal(["address 10.0.0.200 on eth0"]);
    const [lo, ...rest] = DOCKERS.links;
    const onLoopback = { ...DOCKERS, links: [{ ...lo!, addr_info: [{ local: "192.0.2.1", scope: "global" }] }, ...rest] };
    expect(findOwn(onLoopback, ENDPOINTS)).to.deep.equal(["address 192.0.2.1 on lo"]);
  });
  it("is an interface that is up, told once and not by its routes", () => {
    const links = [...DOCKERS.links, { ifname: "wg0", flags: ["UP"], addr_info: [{ local: "10.9.0.1", scope: "global" }] }];
    const routes = [...DOCKERS.routes, { dst: "10.9.0.0/16", protocol: "boot", dev: "wg0" }];
    expect(findOwn({ ...DOCKERS, links, routes }, ENDPOINTS)).to.deep.equal(["interface wg0"]);
  });
  it("is a route, another way out, a rule, a firewall of either kind", () => {
    const routes = [...DOCKERS.routes, { dst: "192.0.2.0/24", gateway: "10.0.0.7", protocol: "static", dev: "eth0" }];
    expect(findOwn({ ...DOCKERS, routes }, ENDPOINTS)).to.deep.equal(["route 192.0.2.0/24 via 10.0.0.7"]);
    const otherwise = [{ dst: "default", gateway: "10.0.0.7", protocol: "boot", dev: "eth0" }];
    expect(findOwn({ ...DOCKERS, routes: otherwise }, ENDPOINTS)).to.deep.equal(["route default via 10.0.0.7"]);
    expect(findOwn({ ...DOCKERS, rules: [...DOCKERS.rules, { priority: 100 }] }, ENDPOINTS)).to.deep.equal(["routing rule 100"]);
    const chain = { family: "ip", table: "filter", name: "INPUT" };
    expect(findOwn({ ...DOCKERS, nftables: [{ chain }, { chain: { ...chain, name: "FORWARD" } }] }, ENDPOINTS)).to.deep.equal([
      "firewall table ip filter",
    ]);
    expect(findOwn({ ...DOCKERS, legacyTables: ["nat", "filter"] }, ENDPOINTS)).to.deep.equal(["firewall table filter"]);
  });
});
