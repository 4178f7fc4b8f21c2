import { expect } from "chai";
import type Docker from "dockerode";
import { FLEET_NETWORK } from "../../../lab/docker-host.js";
import { COUNTING_SERVER } from "../support/counting-server.js";
import { IMAGE_BRINGER, startTalk } from "../support/counting-talk.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../support/moving-fleet.js";
import { settledOn } from "../support/traces.js";

const addressOf = (index: number) => `10.77.0.${160 + index}`;

function container(
  index: number,
  name: string,
  options: Docker.ContainerCreateOptions,
  hostConfig: Docker.HostConfig,
): Docker.ContainerCreateOptions {
  return {
    name,
    Image: IMAGE_BRINGER.image,
    Cmd: ["python3", "-S", "-B", "-c", COUNTING_SERVER, "0.0.0.0"],
    ...options,
    Labels: { "io.evenkeel.workload": name },
    HostConfig: { NetworkMode: FLEET_NETWORK, ...hostConfig },
    NetworkingConfig: {
      EndpointsConfig: { [FLEET_NETWORK]: { IPAMConfig: { IPv4Address: addressOf(index) }, MacAddress: `02:45:4b:00:03:0${index}` } },
    },
  };
}

const WAYS_TO_RUN: Readonly<Record<string, readonly [Docker.ContainerCreateOptions, Docker.HostConfig]>> = {
  "an init of Docker's as its first process": [{}, { Init: true }],
  "a root that is read-only, and tmpfs mounts": [{}, { ReadonlyRootfs: true, Tmpfs: { "/tmp": "size=16m", "/run": "mode=0755" } }],
  "no capabilities, another user and no new privileges": [{ User: "1000:1000" }, { CapDrop: ["ALL"], SecurityOpt: ["no-new-privileges"] }],
  "limits of all kinds": [
    {},
    {
      Memory: 128 << 20,
      MemorySwap: 128 << 20,
      MemoryReservation: 64 << 20,
      CpusetCpus: "0",
      CpuShares: 512,
      PidsLimit: 50,
      OomScoreAdj: 100,
      ShmSize: 8 << 20,
      Ulimits: [{ Name: "nofile", Soft: 2048, Hard: 4096 }],
    },
  ],
  "hosts, name servers and a name of its own": [
    { Hostname: "till" },
    { ExtraHosts: ["db:10.77.0.200"], Dns: ["10.77.0.3"], DnsSearch: ["shop.test"] },
  ],
  "another log driver": [{}, { LogConfig: { Type: "local", Config: {} } }],
  "no log": [{}, { LogConfig: { Type: "none", Config: {} } }],
  "an open standard input": [{ OpenStdin: true, StdinOnce: false }, {}],
};

describe("A workload that is run with", function () {
  this.timeout(240_000);
  let moving: MovingFleet;

  before(async () => {
    moving = await startMovingFleet("e2e-options", [IMAGE_BRINGER], { asked: [] });
    await moving.moveWell(IMAGE_BRINGER.name, FIRST, SECOND);
  });

  after(async () => {
    expect(await moving?.close()).to.deep.equal([]);
  });

  for (const [index, [way, [options, hostConfig]]] of Object.entries(WAYS_TO_RUN).entries()) {
    it(`${way} goes on with it, there and back`, async () => {
      const { lab } = moving.fleet;
      const name = `shop-${index}`;
      const made = await lab.node(FIRST).docker.createContainer(container(index, name, options, hostConfig));
      await made.start();
      const talk = await startTalk(lab, addressOf(index), `talk-${index}`);
      const asked = (await lab.node(FIRST).docker.getContainer(name).inspect()).HostConfig;
      for (const [from, to] of [
        [FIRST, SECOND],
        [SECOND, FIRST],
      ] as const) {
        await moving.moveWell(name, from, to);
        await settledOn(moving.fleet, name, to);
        await talk.goOn();
      }
      await talk.isWhole();
      const got = (await lab.node(FIRST).docker.getContainer(name).inspect()).HostConfig;
      for (const key of Object.keys(hostConfig) as (keyof Docker.HostConfig)[]) expect(got[key], key).to.deep.equal(asked[key]);
      await talk.end();
      await lab.node(FIRST).docker.getContainer(name).remove({ force: true });
    });
  }
});
