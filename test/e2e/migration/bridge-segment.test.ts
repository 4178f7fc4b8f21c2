import { readFile } from "node:fs/promises";
import { expect } from "chai";
import type Docker from "dockerode";
import type { LabNode } from "../../../lab/docker-host.js";
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
const OFFICE = "office";
const ADDRESS = "10.78.0.20";
const MAC = "02:45:4b:00:01:14";

const SHOP: Docker.ContainerCreateOptions = {
  name: "shop",
  Image: SEED.image,
  Cmd: ["python3", "-S", "-B", "-c", COUNTING_SERVER, "0.0.0.0"],
  Labels: { "io.evenkeel.workload": "shop" },
  HostConfig: { NetworkMode: OFFICE },
  NetworkingConfig: { EndpointsConfig: { [OFFICE]: { IPAMConfig: { IPv4Address: ADDRESS }, MacAddress: MAC, Aliases: ["till"] } } },
};

describe("A workload on a bridge with a port into the segment that all nodes share", function () {
  this.timeout(240_000);
  let moving: MovingFleet;

  before(async () => {
    moving = await startMovingFleet("e2e-segment", [SEED], { asked: [] });
    const { lab } = moving.fleet;
    await moving.moveWell("seed", FIRST, SECOND);
    for (const node of lab.nodes) await plugIn(node);
    await lab.clients.exec(["ip", "address", "add", "10.78.0.3/24", "dev", "eth0"]);
    const container = await lab.node(FIRST).docker.createContainer(SHOP);
    await container.start();
    await waitFor("it to be ready", async () => (await container.logs({ stdout: true })).toString().includes("ready"));
  });

  after(async () => {
    expect(await moving?.close()).to.deep.equal([]);
  });

  /** A bridge of the node's own, with a second cable to the lab's, and a Docker network over it. */
  async function plugIn(node: LabNode): Promise<void> {
    const { fabric } = moving.fleet.lab;
    const port = `office${node.name.at(-1)}`;
    await execIn(fabric.folder, ["ip", "link", "add", port, "type", "veth", "peer", "name", "uplink", "netns", String(node.pid)]);
    await execIn(fabric.folder, ["ip", "link", "set", port, "master", "bridge0", "up"]);
    await node.exec(["ip", "link", "add", "br0", "type", "bridge"]);
    await node.exec(["ip", "link", "set", "uplink", "master", "br0", "up"]);
    await node.exec(["ip", "link", "set", "br0", "up"]);
    await node.docker.createNetwork({
      Name: OFFICE,
      Driver: "bridge",
      IPAM: { Config: [{ Subnet: "10.78.0.0/24", Gateway: "10.78.0.254" }] },
      Options: {
        "com.docker.network.bridge.name": "br0",
        "com.docker.network.bridge.inhibit_ipv4": "true",
        "com.docker.network.bridge.enable_ip_masquerade": "false",
      },
    });
  }

  it("keeps its address, its aliases and its connection, there and back, and nothing is lost on the way", async () => {
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
      const endpoint = (await lab.node(to).docker.getContainer("shop").inspect()).NetworkSettings.Networks[OFFICE]!;
      expect(endpoint).to.include({ IPAddress: ADDRESS, MacAddress: MAC });
      expect(endpoint.Aliases).to.include("till");
    }
    const said = await words();
    expect(said).to.deep.equal(said.map((_, index) => `answer ${index + 1}`));
    await service.kill("SIGKILL");
  });
});
