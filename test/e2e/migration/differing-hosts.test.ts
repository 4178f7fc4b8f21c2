import { expect } from "chai";
import { FLEET_NETWORK } from "../../../lab/docker-host.js";
import { COUNTING_SERVER } from "../support/counting-server.js";
import { IMAGE_BRINGER, startTalk, type Talk } from "../support/counting-talk.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../support/moving-fleet.js";
import { settledOn } from "../support/traces.js";

const NAME = "shop";
const ADDRESS = "10.77.0.160";
const limit = (Name: string, Soft: number) => ({ [Name]: { Name, Soft, Hard: 2 * Soft } });

/** All that daemon.json says to a container which says nothing itself, said otherwise. */
const DOCKER_OF = {
  [FIRST]: {
    init: true,
    "default-ulimits": limit("nofile", 2048),
    "default-shm-size": "8M",
    "live-restore": false,
    "log-opts": { "max-size": "1m" },
  },
  [SECOND]: {
    "data-root": "/var/lib/docker/elsewhere",
    "live-restore": true,
    "default-ulimits": limit("nofile", 512),
    "default-shm-size": "4M",
    "default-cgroupns-mode": "private",
    "default-ipc-mode": "shareable",
    "no-new-privileges": true,
    "log-opts": { "max-size": "5m", "max-file": "3" },
    dns: ["10.77.0.9"],
  },
};

/** What its programs can see of that. */
const SEEN = `
import os, re, resource
read = lambda path: open(path).read()
print("init", read("/proc/1/cmdline").split(chr(0))[0])
print("files", re.search("Max open files +(.+)", read("/proc/1/limits")).group(1).split())
shm = os.statvfs("/dev/shm")
print("shm", shm.f_blocks * shm.f_frsize, os.listdir("/dev/shm"))
print("low ports from", read("/proc/sys/net/ipv4/ip_unprivileged_port_start").strip())
print("backlog", read("/proc/sys/net/core/somaxconn").strip())
print("no new privileges", re.search("NoNewPrivs:.(.)", read("/proc/1/status")).group(1))
print("volume", read("/data/kept"))
`;
const SERVER = `
open("/dev/shm/kept", "w").write("memory")
open("/data/kept", "w").write("files")
${COUNTING_SERVER}`;

describe("Between hosts whose Dockers are set up differently", function () {
  this.timeout(600_000);
  let moving: MovingFleet;
  let talk: Talk;

  before(async () => {
    moving = await startMovingFleet("e2e-differing", [IMAGE_BRINGER], { asked: [], dockerOf: DOCKER_OF });
    await moving.moveWell(IMAGE_BRINGER.name, FIRST, SECOND);
    const { docker } = moving.fleet.lab.node(FIRST);
    await docker.createVolume({ Name: "shop-data", Labels: { "com.docker.compose.project": "shop" } });
    const made = await docker.createContainer({
      name: NAME,
      Image: IMAGE_BRINGER.image,
      Cmd: ["python3", "-S", "-B", "-c", SERVER, "0.0.0.0"],
      Labels: { "io.evenkeel.workload": NAME },
      HostConfig: { NetworkMode: FLEET_NETWORK, Binds: ["shop-data:/data"], Sysctls: { "net.core.somaxconn": "77" } },
      NetworkingConfig: {
        EndpointsConfig: { [FLEET_NETWORK]: { IPAMConfig: { IPv4Address: ADDRESS }, MacAddress: "02:45:4b:00:03:00" } },
      },
    });
    await made.start();
    talk = await startTalk(moving.fleet.lab, ADDRESS, "talk");
  });

  after(async () => {
    await talk?.end();
    expect(await moving?.close()).to.deep.equal([]);
  });

  const seenBy = async (node: string) =>
    (await moving.fleet.lab.node(node).exec(["docker", "exec", NAME, "python3", "-S", "-c", SEEN])).stdout;

  it("a workload goes on as it was, there and back", async () => {
    const before = await seenBy(FIRST);
    expect(before).to.include("init /sbin/docker-init").and.include("files ['2048', '4096', 'files']").and.include("low ports from 0");
    for (const [from, to] of [
      [FIRST, SECOND],
      [SECOND, FIRST],
    ] as const) {
      await moving.moveWell(NAME, from, to);
      await settledOn(moving.fleet, NAME, to);
      await talk.goOn();
      if (DOCKER_OF[to]["live-restore"]) {
        await moving.fleet.lab.node(to).restartDocker();
        await talk.goOn();
      }
      expect(await seenBy(to)).to.equal(before);
      const { docker } = moving.fleet.lab.node(to);
      expect((await docker.getVolume("shop-data").inspect()).Labels).to.deep.equal({ "com.docker.compose.project": "shop" });
      expect((await docker.getContainer(NAME).inspect()).HostConfig).to.include({
        CgroupnsMode: "host",
        IpcMode: "private",
        ShmSize: 8 << 20,
      });
    }
    await talk.isWhole();
  });
});
