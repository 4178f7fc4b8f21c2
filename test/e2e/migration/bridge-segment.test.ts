import { expect } from "chai";
import type Docker from "dockerode";
import type { LabNode } from "../../../lab/docker-host.js";
import { COUNTING_SERVER } from "../support/counting-server.js";
import { IMAGE_BRINGER, plugIn, startTalk } from "../support/counting-talk.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../support/moving-fleet.js";
import { settledOn } from "../support/traces.js";

const OFFICE = "office";
const ADDRESS = "10.78.0.20";
const MAC = "02:45:4b:00:01:14";
/** A container on the same network of each node, that never moves. */
const NEIGHBOUR = { name: "neighbour", addresses: { [FIRST]: "10.78.0.31", [SECOND]: "10.78.0.32" } as Record<string, string> };
/** Prints where a name leads, if a connection to it can be had. */
const CONNECT = "import socket, sys; print(socket.create_connection((sys.argv[1], 7000), 10).getpeername()[0])";
const LOOK_UP = "import socket, sys; print(socket.gethostbyname(sys.argv[1]))";

const SHOP: Docker.ContainerCreateOptions = {
  name: "shop",
  Image: IMAGE_BRINGER.image,
  Cmd: ["python3", "-S", "-B", "-c", COUNTING_SERVER, "0.0.0.0"],
  Labels: { "io.evenkeel.workload": "shop" },
  HostConfig: { NetworkMode: OFFICE },
  NetworkingConfig: { EndpointsConfig: { [OFFICE]: { IPAMConfig: { IPv4Address: ADDRESS }, MacAddress: MAC, Aliases: ["till"] } } },
};

describe("A workload on a bridge with a port into the segment that all nodes share", function () {
  this.timeout(600_000);
  let moving: MovingFleet;

  before(async () => {
    moving = await startMovingFleet("e2e-segment", [IMAGE_BRINGER], { asked: [] });
    const { lab } = moving.fleet;
    await moving.moveWell(IMAGE_BRINGER.name, FIRST, SECOND);
    for (const node of lab.nodes) {
      await attach(node);
      await (await node.docker.createContainer(neighbourOn(node.name))).start();
    }
    await lab.clients.exec(["ip", "address", "add", "10.78.0.3/24", "dev", "eth0"]);
    await (await lab.node(FIRST).docker.createContainer(SHOP)).start();
  });

  after(async () => {
    expect(await moving?.close()).to.deep.equal([]);
  });

  /** A bridge of the node's own, with a second cable to the lab's, and a Docker network over it. */
  async function attach(node: LabNode): Promise<void> {
    await plugIn(moving.fleet.lab, node);
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

  /** What Docker itself does not know it asks a machine that serves no names: nobody outside is asked for an alias. */
  function neighbourOn(node: string): Docker.ContainerCreateOptions {
    return {
      name: NEIGHBOUR.name,
      Image: IMAGE_BRINGER.image,
      Cmd: ["python3", "-S", "-c", "import time; time.sleep(3600)"],
      HostConfig: { NetworkMode: OFFICE, Dns: ["10.78.0.3"], DnsOptions: ["timeout:1", "attempts:1"] },
      NetworkingConfig: { EndpointsConfig: { [OFFICE]: { IPAMConfig: { IPv4Address: NEIGHBOUR.addresses[node]! } } } },
    };
  }

  /** Runs a program in a container, as `docker exec` does. */
  const inside = (node: string, container: string, program: string, name: string) =>
    moving.fleet.lab.node(node).exec(["docker", "exec", container, "python3", "-S", "-c", program, name], { reject: false });

  it("keeps its address, its aliases and its connection, there and back, and nothing is lost on the way", async () => {
    const { lab } = moving.fleet;
    const talk = await startTalk(lab, ADDRESS, "talk");
    for (const [from, to] of [
      [FIRST, SECOND],
      [SECOND, FIRST],
    ] as const) {
      await moving.moveWell("shop", from, to);
      await settledOn(moving.fleet, "shop", to);
      await talk.goOn();
      const endpoint = (await lab.node(to).docker.getContainer("shop").inspect()).NetworkSettings.Networks[OFFICE]!;
      expect(endpoint).to.include({ IPAddress: ADDRESS, MacAddress: MAC });
      expect(endpoint.Aliases).to.include("till");
    }
    await talk.isWhole();
    await talk.end();
  });

  it("is found by its name and its alias on the network of the node where it is, on that node alone, and finds its neighbours there", async () => {
    for (const [from, to] of [
      [FIRST, SECOND],
      [SECOND, FIRST],
    ] as const) {
      await moving.moveWell("shop", from, to);
      await settledOn(moving.fleet, "shop", to);
      for (const name of ["till", "shop"]) {
        const there = await inside(to, NEIGHBOUR.name, CONNECT, name);
        expect(there.stdout, `${name} on ${to}: ${there.stderr}`).to.equal(ADDRESS);
        const left = await inside(from, NEIGHBOUR.name, LOOK_UP, name);
        expect(left.stdout, `${name} on ${from}`).to.equal("");
        expect(left.stderr).to.include("gaierror");
      }
      const neighbour = await inside(to, "shop", LOOK_UP, NEIGHBOUR.name);
      expect(neighbour.stdout, neighbour.stderr).to.equal(NEIGHBOUR.addresses[to]);
    }
  });
});
