import { readFile } from "node:fs/promises";
import { expect } from "chai";
import type Docker from "dockerode";
import { FLEET_NETWORK, type LabNode } from "../../../lab/docker-host.js";
import { execIn } from "../../../lab/enter.js";
import { type LabWorkload, WORKLOADS } from "../../../lab/workloads/workload-table.js";
import { waitFor } from "../../support/wait-for.js";
import { COUNTING_CLIENT, COUNTING_SERVER } from "../support/counting-server.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../support/moving-fleet.js";
import { settledOn } from "../support/traces.js";

const SEED: LabWorkload = {
  ...WORKLOADS.find(({ name }) => name === "burner")!,
  name: "seed",
  address: "10.77.0.155",
  macAddress: "02:45:4b:00:00:9b",
};
const SIX = "six";
const ADDRESS = "fd00:66::20";
const IPV4_ADDRESS = "10.79.0.20";
const MAC = "02:45:4b:00:02:14";

const SHOP: Docker.ContainerCreateOptions = {
  name: "shop",
  Image: SEED.image,
  Cmd: ["python3", "-S", "-B", "-c", COUNTING_SERVER, "::"],
  Labels: { "io.evenkeel.workload": "shop" },
  HostConfig: { NetworkMode: SIX },
  NetworkingConfig: {
    EndpointsConfig: { [SIX]: { IPAMConfig: { IPv4Address: IPV4_ADDRESS, IPv6Address: ADDRESS }, MacAddress: MAC } },
  },
};

describe("The addresses of a workload that moves", function () {
  this.timeout(240_000);
  let moving: MovingFleet;

  before(async () => {
    moving = await startMovingFleet("e2e-addresses", [SEED], { asked: [] });
    const { lab } = moving.fleet;
    await moving.moveWell("seed", FIRST, SECOND);
    for (const node of lab.nodes) await plugIn(node);
    await lab.clients.exec(["ip", "address", "add", "fd00:66::3/64", "dev", "eth0", "nodad"]);
    const container = await lab.node(FIRST).docker.createContainer(SHOP);
    await container.start();
    await waitFor("it to be ready", async () => (await container.logs({ stdout: true })).toString().includes("ready"));
  });

  after(async () => {
    expect(await moving?.close()).to.deep.equal([]);
  });

  /** A second cable to the segment, for Docker takes one parent for one network only. */
  async function plugIn(node: LabNode): Promise<void> {
    const { fabric } = moving.fleet.lab;
    const port = `six${node.name.at(-1)}`;
    await execIn(fabric.folder, ["ip", "link", "add", port, "type", "veth", "peer", "name", "uplink", "netns", String(node.pid)]);
    await execIn(fabric.folder, ["ip", "link", "set", port, "master", "bridge0", "up"]);
    await node.exec(["ip", "link", "set", "uplink", "up"]);
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
    const service = await lab.clients.spawn(["python3", "-c", COUNTING_CLIENT, ADDRESS, "7000"], { name: "talk" });
    const words = async () => (await readFile(service.logFile, "utf8")).trim().split("\n");
    for (const [from, to] of [
      [FIRST, SECOND],
      [SECOND, FIRST],
    ] as const) {
      await moving.moveWell("shop", from, to);
      await settledOn(moving.fleet, "shop", to);
      const before = (await words()).length;
      await waitFor("more answers", async () => (await words()).length > before + 5, { deadlineSeconds: 30 });
      const endpoint = (await lab.node(to).docker.getContainer("shop").inspect()).NetworkSettings.Networks[SIX]!;
      expect(endpoint).to.include({ IPAddress: IPV4_ADDRESS, GlobalIPv6Address: ADDRESS, MacAddress: MAC });
    }
    const said = await words();
    expect(said).to.deep.equal(said.map((_, index) => `answer ${index + 1}`));
    await service.kill("SIGKILL");
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
    const container = await lab.node(FIRST).docker.createContainer(options);
    await container.start();
    await waitFor("it to be ready", async () => (await container.logs({ stdout: true })).toString().includes("ready"));
    const talks = await Promise.all(
      ["fd00:66::21", "10.77.0.161"].map((address, index) =>
        lab.clients.spawn(["python3", "-c", COUNTING_CLIENT, address, "7000"], { name: `talk-${name}-${index}` }),
      ),
    );
    const words = async (at: number) => (await readFile(talks[at]!.logFile, "utf8")).trim().split("\n");
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
      for (const at of talks.keys()) {
        const count = (await words(at)).length;
        await waitFor("more answers", async () => (await words(at)).length > count + 5, { deadlineSeconds: 30 });
      }
    }
    for (const [at, talk] of talks.entries()) {
      expect((await words(at)).filter((word) => !word.startsWith("answer "))).to.deep.equal([]);
      await talk.kill("SIGKILL");
    }
  });
});
