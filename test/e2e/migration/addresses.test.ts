import { expect } from "chai";
import type Docker from "dockerode";
import { FLEET_NETWORK, type LabNode } from "../../../lab/docker-host.js";
import { COUNTING_SERVER } from "../support/counting-server.js";
import { IMAGE_BRINGER, plugIn, startTalk } from "../support/counting-talk.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../support/moving-fleet.js";
import { settledOn } from "../support/traces.js";

const SIX = "six";
const ADDRESS = "fd00:66::20";
const IPV4_ADDRESS = "10.79.0.20";
const MAC = "02:45:4b:00:02:14";

const SHOP: Docker.ContainerCreateOptions = {
  name: "shop",
  Image: IMAGE_BRINGER.image,
  Cmd: ["python3", "-S", "-B", "-c", COUNTING_SERVER, "::"],
  Labels: { "io.evenkeel.workload": "shop" },
  HostConfig: { NetworkMode: SIX },
  NetworkingConfig: {
    EndpointsConfig: { [SIX]: { IPAMConfig: { IPv4Address: IPV4_ADDRESS, IPv6Address: ADDRESS }, MacAddress: MAC } },
  },
};

describe("The addresses of a workload that moves", function () {
  this.timeout(600_000);
  let moving: MovingFleet;

  before(async () => {
    moving = await startMovingFleet("e2e-addresses", [IMAGE_BRINGER], { asked: [] });
    const { lab } = moving.fleet;
    await moving.moveWell(IMAGE_BRINGER.name, FIRST, SECOND);
    for (const node of lab.nodes) await attach(node);
    await lab.clients.exec(["ip", "address", "add", "fd00:66::3/64", "dev", "eth0", "nodad"]);
    await (await lab.node(FIRST).docker.createContainer(SHOP)).start();
  });

  after(async () => {
    expect(await moving?.close()).to.deep.equal([]);
  });

  async function attach(node: LabNode): Promise<void> {
    await plugIn(moving.fleet.lab, node);
    await node.docker.createNetwork({
      Name: SIX,
      Driver: "macvlan",
      EnableIPv6: true,
      IPAM: { Config: [{ Subnet: "10.79.0.0/24" }, { Subnet: "fd00:66::/64" }] },
      Options: { parent: "uplink" },
    });
  }

  it("go with it, those of IPv6 too, and a connection to one, there and back", async () => {
    const { lab } = moving.fleet;
    const talk = await startTalk(lab, ADDRESS, "talk");
    for (const [from, to] of [
      [FIRST, SECOND],
      [SECOND, FIRST],
    ] as const) {
      await moving.moveWell("shop", from, to);
      await settledOn(moving.fleet, "shop", to);
      await talk.goOn();
      const endpoint = (await lab.node(to).docker.getContainer("shop").inspect()).NetworkSettings.Networks[SIX]!;
      expect(endpoint).to.include({ IPAddress: IPV4_ADDRESS, GlobalIPv6Address: ADDRESS, MacAddress: MAC });
    }
    await talk.isWhole();
    await talk.end();
  });

  it("go with it on two networks, each on the interface that it had", async () => {
    const { lab } = moving.fleet;
    const name = "till";
    const options: Docker.ContainerCreateOptions = {
      ...SHOP,
      name,
      Labels: { "io.evenkeel.workload": name },
      NetworkingConfig: {
        EndpointsConfig: {
          [SIX]: { IPAMConfig: { IPv4Address: "10.79.0.21", IPv6Address: "fd00:66::21" }, MacAddress: "02:45:4b:00:02:15" },
          [FLEET_NETWORK]: { IPAMConfig: { IPv4Address: "10.77.0.161" }, MacAddress: "02:45:4b:00:02:16" },
        },
      },
    };
    await (await lab.node(FIRST).docker.createContainer(options)).start();
    const talks = await Promise.all(
      ["fd00:66::21", "10.77.0.161"].map((address, index) => startTalk(lab, address, `talk-${name}-${index}`)),
    );
    const interfaces = async (at: string) =>
      (await lab.node(at).exec(["docker", "exec", name, "cat", "/sys/class/net/eth0/address", "/sys/class/net/eth1/address"])).stdout;
    const before = await interfaces(FIRST);
    for (const [from, to] of [
      [FIRST, SECOND],
      [SECOND, FIRST],
    ] as const) {
      await moving.moveWell(name, from, to);
      await settledOn(moving.fleet, name, to);
      expect(await interfaces(to)).to.equal(before);
      for (const talk of talks) await talk.goOn();
    }
    for (const talk of talks) {
      await talk.isWhole({ isAlone: false });
      await talk.end();
    }
  });
});
