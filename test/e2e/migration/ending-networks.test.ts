import { readFile } from "node:fs/promises";
import { expect } from "chai";
import type Docker from "dockerode";
import { FLEET_NETWORK } from "../../../lab/docker-host.js";
import { type LabWorkload, WORKLOADS } from "../../../lab/workloads/workload-table.js";
import { nowSeconds } from "../../../platform/clock.js";
import { abortMigration } from "../../../platform/migration-record.js";
import { waitFor } from "../../support/wait-for.js";
import { withHeldCriu } from "../support/broken-program.js";
import { COUNTING_CLIENT, COUNTING_SERVER } from "../support/counting-server.js";
import { listenForStage } from "../support/moments.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../support/moving-fleet.js";
import { RELAY, RELAY_PORT } from "../support/side-car.js";
import { settledOn } from "../support/traces.js";

const SEED: LabWorkload = {
  ...WORKLOADS.find(({ name }) => name === "burner")!,
  name: "seed",
  address: "10.77.0.153",
  macAddress: "02:45:4b:00:00:99",
};
const PRIVATE = "private";
const SUBNET = "172.30.7.0/24";
const PORT = 18080;
const CLOSE = { "io.evenkeel.connections": "close" };

/** A container that counts, on a network that ends at its node, with a port of the node that leads to it. */
function counting(name: string, changes: Docker.ContainerCreateOptions = {}, host: Docker.HostConfig = {}): Docker.ContainerCreateOptions {
  return {
    name,
    Image: SEED.image,
    Cmd: ["python3", "-S", "-B", "-c", COUNTING_SERVER, "0.0.0.0"],
    Labels: { ...CLOSE, "io.evenkeel.workload": name },
    ...changes,
    HostConfig: {
      NetworkMode: PRIVATE,
      RestartPolicy: { Name: "unless-stopped" },
      PortBindings: { "7000/tcp": [{ HostPort: String(PORT) }] },
      ...host,
    },
  };
}

describe("A workload on a network that ends at its node", function () {
  this.timeout(600_000);
  let moving: MovingFleet;
  let first: Docker;
  let second: Docker;

  before(async () => {
    moving = await startMovingFleet("e2e-ending", [SEED], { asked: [] });
    [first, second] = [moving.fleet.lab.node(FIRST).docker, moving.fleet.lab.node(SECOND).docker];
    await moving.moveWell("seed", FIRST, SECOND);
    for (const docker of [first, second]) {
      await docker.createNetwork({ Name: PRIVATE, Driver: "bridge", IPAM: { Config: [{ Subnet: SUBNET }] } });
      await docker.createNetwork({ Name: "inner", Driver: "bridge", Internal: true });
    }
  });

  after(async () => {
    expect(await moving?.close()).to.deep.equal([]);
  });

  async function withContainer(
    options: Docker.ContainerCreateOptions,
    doing: (container: Docker.Container) => Promise<void>,
  ): Promise<void> {
    const container = await first.createContainer(options);
    try {
      await container.start();
      await waitFor("it to be ready", async () => (await container.logs({ stdout: true })).toString().includes("ready"));
      await doing(container);
    } finally {
      for (const docker of [first, second])
        await docker
          .getContainer(options.name!)
          .remove({ force: true })
          .catch(() => {});
    }
  }

  const addressOf = (node: string) => moving.fleet.lab.node(node).address;

  /** A client outside the fleet that keeps one connection. Its words so far. */
  async function talk(node: string): Promise<{ words(): Promise<string[]>; next(): Promise<number> }> {
    const { clients } = moving.fleet.lab;
    await clients.service("talk")?.kill("SIGKILL");
    const service = await clients.spawn(["python3", "-c", COUNTING_CLIENT, addressOf(node), String(PORT)], { name: "talk" });
    const words = async () => (await readFile(service.logFile, "utf8")).trim().split("\n");
    const next = async () => {
      const before = (await words()).length;
      const line = await waitFor("the next answer", async () => (await words())[before + 1], { deadlineSeconds: 30 });
      expect(line).to.match(/^answer /);
      return Number(line.split(" ")[1]);
    };
    return { words, next };
  }

  const endOf = (client: { words(): Promise<string[]> }) =>
    waitFor("the end of the connection", async () => (await client.words()).find((word) => !/^(answer|$)/.test(word)), {
      deadlineSeconds: 40,
    });

  const lookAt = async (docker: Docker, name: string) => docker.getContainer(name).inspect();

  async function isRefused(name: string, code: string): Promise<void> {
    const record = await moving.move(name, FIRST, SECOND);
    expect(record).to.include({ result: "failed", errorCode: "PREFLIGHT_BLOCKED" });
    expect(record.errorMessage).to.include(`${code}: `);
    expect(await moving.fleet.whereIs(name)).to.equal(FIRST);
  }

  it("is refused without the label that allows its connections to be closed", () =>
    withContainer(counting("shop", { Labels: {} }), () => isRefused("shop", "network-driver")));

  it("moves with its state, its address and its aliases; its clients are told the end, and find it at the other node's port", () =>
    withContainer(
      counting("shop", { NetworkingConfig: { EndpointsConfig: { [PRIVATE]: { Aliases: ["till", "counter"] } } } }),
      async (container) => {
        const before = await lookAt(first, container.id);
        const client = await talk(FIRST);
        const counted = await client.next();
        await moving.moveWell("shop", FIRST, SECOND);
        expect(await endOf(client)).to.be.oneOf(["closed", "reset"]);
        await settledOn(moving.fleet, "shop", SECOND);
        expect(await (await talk(SECOND)).next()).to.be.greaterThan(counted);
        const after = await lookAt(second, "shop");
        const [was, is] = [before, after].map((seen) => seen.NetworkSettings.Networks[PRIVATE]!);
        expect(is!.IPAddress).to.equal(was!.IPAddress);
        expect(is!.Aliases).to.have.members(was!.Aliases!);
        expect(after.HostConfig.PortBindings).to.deep.equal(before.HostConfig.PortBindings);
      },
    ));

  it("takes another address where its own is taken, for its listeners do not mind", () =>
    withContainer(counting("shop"), async (container) => {
      const { IPAddress } = (await lookAt(first, container.id)).NetworkSettings.Networks[PRIVATE]!;
      const holder = await second.createContainer({
        name: "holder",
        Image: SEED.image,
        Cmd: ["python3", "-S", "-c", "import time; time.sleep(3600)"],
        HostConfig: { NetworkMode: PRIVATE },
        NetworkingConfig: { EndpointsConfig: { [PRIVATE]: { IPAMConfig: { IPv4Address: IPAddress } } } },
      });
      try {
        await holder.start();
        const counted = await (await talk(FIRST)).next();
        await moving.moveWell("shop", FIRST, SECOND);
        expect(await (await talk(SECOND)).next()).to.be.greaterThan(counted);
        expect((await lookAt(second, "shop")).NetworkSettings.Networks[PRIVATE]!.IPAddress).to.not.equal(IPAddress);
      } finally {
        await holder.remove({ force: true });
      }
    }));

  it("moves from Docker's own bridge to Docker's own bridge", () =>
    withContainer(counting("shop", {}, { NetworkMode: "bridge" }), async () => {
      const counted = await (await talk(FIRST)).next();
      await moving.moveWell("shop", FIRST, SECOND);
      expect(await (await talk(SECOND)).next()).to.be.greaterThan(counted);
    }));

  it("moves with a side-car that has joined it, whose connections end too", () =>
    withContainer(
      counting(
        "shop",
        { ExposedPorts: { [`${RELAY_PORT}/tcp`]: {} } },
        { UsernsMode: "host", PortBindings: { [`${RELAY_PORT}/tcp`]: [{ HostPort: String(PORT) }] } },
      ),
      async () => {
        const sideCar = counting("relay", { Cmd: ["python3", "-S", "-B", "-c", RELAY, String(RELAY_PORT), "7000"] });
        await withContainer({ ...sideCar, HostConfig: { NetworkMode: "container:shop", UsernsMode: "host" } }, async () => {
          const client = await talk(FIRST);
          const counted = await client.next();
          for (const id of await moving.beginTogether(["shop", "relay"], FIRST, SECOND))
            expect(await moving.closed(id)).to.include({ result: "succeeded" });
          expect(await endOf(client)).to.be.oneOf(["closed", "reset"]);
          for (const name of ["shop", "relay"]) await settledOn(moving.fleet, name, SECOND);
          expect(await (await talk(SECOND)).next()).to.be.greaterThan(counted);
        });
      },
    ));

  it("keeps its connections when the move is called off", () =>
    withContainer(counting("shop"), async () => {
      const client = await talk(FIRST);
      await client.next();
      const moment = await listenForStage(moving.fleet, "restore");
      const record = await withHeldCriu(moving.fleet.lab.node(SECOND), async (letGo) => {
        const id = await moving.begin("shop", FIRST, SECOND);
        await moment.reached;
        await abortMigration(moving.fleet.redis, moving.fleet.keys, id, nowSeconds(), "a test");
        await letGo();
        return moving.closed(id);
      });
      moment.close();
      expect(record).to.include({ result: "cancelled" });
      await client.next();
      await settledOn(moving.fleet, "shop", FIRST);
    }));

  it("is refused where a port that it publishes is in use", () =>
    withContainer(counting("shop"), async () => {
      const taker = await second.createContainer({
        name: "taker",
        Image: SEED.image,
        Cmd: ["python3", "-S", "-c", "import time; time.sleep(3600)"],
        ExposedPorts: { "7000/tcp": {} },
        HostConfig: { PortBindings: { "7000/tcp": [{ HostPort: String(PORT) }] } },
      });
      try {
        await taker.start();
        await isRefused("shop", "port-unavailable");
      } finally {
        await taker.remove({ force: true });
      }
    }));

  it("is refused when it listens on an address that it cannot have there", () => {
    // Docker's own bridge takes no wishes.
    const program = `import socket, sys\nsys.argv[1:] = [socket.gethostbyname(socket.gethostname())]\n${COUNTING_SERVER}`;
    return withContainer(counting("shop", { Cmd: ["python3", "-S", "-B", "-c", program, "-"] }, { NetworkMode: "bridge" }), () =>
      isRefused("shop", "address-bound"),
    );
  });

  it("is refused when it is on a network of the fleet as well", () =>
    withContainer(counting("shop", {}, { NetworkMode: "inner", PortBindings: {} }), async (container) => {
      await first
        .getNetwork(FLEET_NETWORK)
        .connect({ Container: container.id, EndpointConfig: { IPAMConfig: { IPv4Address: "10.77.0.154" } } });
      await isRefused("shop", "networks-mixed");
    }));

  it("moves when it has no network at all", () =>
    withContainer(
      counting(
        "hermit",
        {
          Labels: {},
          Cmd: ["python3", "-S", "-u", "-c", "import time\nprint('ready')\nfor n in range(10**6):\n print(n); time.sleep(0.02)"],
        },
        { NetworkMode: "none", PortBindings: {} },
      ),
      async () => {
        await moving.moveWell("hermit", FIRST, SECOND);
        const last = async () =>
          Number((await second.getContainer("hermit").logs({ stdout: true, tail: 1 })).toString().replace(/\D/g, ""));
        const before = await last();
        await waitFor("it to count on", async () => (await last()) > before);
        const all = (await second.getContainer("hermit").logs({ stdout: true })).toString();
        expect(all.match(/ready/g)).to.have.length(1);
        const numbers = [...all.matchAll(/(\d+)\n/g)].map(([, number]) => Number(number));
        expect(numbers).to.deep.equal(numbers.map((_, index) => index));
      },
    ));
});
