import { expect } from "chai";
import { type TermsOffered, termFindings } from "../../../executor/engine/docker/network-terms.js";
import type { NetworkAttachment, NetworkTerms } from "../../../executor/engine/engine.js";

const WANTED: NetworkAttachment = {
  network: "lan",
  driver: "macvlan",
  ipv4Address: "10.0.0.5",
  ipv6Address: "fd00::5",
  macAddress: "02:00:00:00:00:05",
  keeps: true,
};
const TERMS: NetworkTerms = { prefixLengths: [24, 64], gateways: ["10.0.0.1", "fd00::1"], mtuBytes: 1500 };
const POOLS = [
  { Subnet: "10.0.0.0/24", Gateway: "10.0.0.1" },
  { Subnet: "fd00::/64", Gateway: "fd00::1" },
];
const offered = (changes: Partial<TermsOffered> = {}): TermsOffered => ({
  Id: "0123456789abcdef",
  Driver: "macvlan",
  Options: { parent: "nowhere0", "com.docker.network.driver.mtu": "1500" },
  IPAM: { Config: POOLS },
  ...changes,
});
const told = async (network: TermsOffered, terms = TERMS, wanted = WANTED) =>
  (await termFindings(network, wanted, terms)).map(({ code, message }) => `${code} ${message}`);

describe("A network of the same name", () => {
  it("is the same with the same subnets, gateways and MTU, or a larger one", async () => {
    expect(await told(offered())).to.deep.equal([]);
    expect(await told(offered({ Options: { "com.docker.network.driver.mtu": "9000" } }))).to.deep.equal([]);
  });

  it("is another with a shorter or longer subnet", async () => {
    const pools = [{ Subnet: "10.0.0.0/16", Gateway: "10.0.0.1" }, POOLS[1]!];
    expect(await told(offered({ IPAM: { Config: pools } }))).to.deep.equal([
      "network-differs lan: the subnet of 10.0.0.5 has 24 bits, and is 10.0.0.0/16 here",
    ]);
  });

  it("is another with another gateway, or without one", async () => {
    const pools = [POOLS[0]!, { Subnet: "fd00::/64", Gateway: "fd00::2" }];
    expect(await told(offered({ IPAM: { Config: pools } }))).to.deep.equal([
      "network-differs lan: its gateway is fd00::1, and fd00::2 here",
    ]);
    expect(await told(offered({ Internal: true }))).to.deep.equal([
      "network-differs lan: its gateway is 10.0.0.1, and none here",
      "network-differs lan: its gateway is fd00::1, and none here",
    ]);
  });

  it("is not judged by a gateway of which Docker does not tell", async () => {
    expect(await told(offered({ IPAM: { Config: [{ Subnet: "10.0.0.0/24" }, POOLS[1]!] } }))).to.deep.equal([]);
    expect(await told(offered({ IPAM: { Config: [{ Subnet: "10.0.0.0/24", Gateway: "10.0.0.1/24" }, POOLS[1]!] } }))).to.deep.equal([]);
  });

  it("is another where frames of the size that reach the workload would not", async () => {
    const jumbo = { ...TERMS, mtuBytes: 9000 };
    expect(await told(offered(), jumbo)).to.deep.equal(["network-differs lan: frames of 9000 bytes reach it, and of 1500 here (MTU)"]);
    expect(await told(offered({ Options: {} }), jumbo, { ...WANTED, driver: "bridge" }), "Docker's own choice for bridges").to.have.length(
      1,
    );
    expect(await told(offered({ Options: { parent: "nowhere0" } }), jumbo), "unknown").to.deep.equal([]);
  });
});
