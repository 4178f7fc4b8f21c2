import { expect } from "chai";
import type Docker from "dockerode";
import { FLEET_NETWORK } from "../../../lab/docker-host.js";
import { waitFor } from "../../support/wait-for.js";
import { withProgram } from "../support/broken-program.js";
import { COUNTING_SERVER } from "../support/counting-server.js";
import { IMAGE_BRINGER, startTalk } from "../support/counting-talk.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../support/moving-fleet.js";
import { settledOn } from "../support/traces.js";

/** As a JVM keeps its figures. */
const MAPS_A_FILE = `
import mmap, os
figures = os.open("/tmp/figures", os.O_RDWR | os.O_CREAT)
os.truncate(figures, 4096)
mapped = mmap.mmap(figures, 4096)
`;
/** As an entrypoint may. */
const CHANGES_ETC = `
with open("/etc/hosts", "a") as file:
    file.write("10.77.0.201\\tdb\\n")
with open("/etc/resolv.conf", "a") as file:
    file.write("options timeout:3\\n")
with open("/etc/hostname", "w") as file:
    file.write("till-7\\n")
`;
const LINES = 60;
const SPEAKER = `
import time
for number in range(1, ${LINES} + 1):
    print("line", number, flush=True)
while True:
    time.sleep(3600)
`;
/** Says the rest when it gets SIGUSR1. */
const LATE_SPEAKER = `
import signal, time
def say(first, last):
    for number in range(first, last + 1):
        print("line", number, flush=True)
signal.signal(signal.SIGUSR1, lambda *_: say(6, 35))
say(1, 5)
while True:
    time.sleep(3600)
`;
/** Says the time since boot, of both kinds, that of day, and the CPU time that it has used, of both kinds; sleeps until a time since boot. */
const CLOCK = `
import os, time
while time.process_time() < 1: pass
wake_at = time.monotonic()
while True:
    used = os.times()
    print("clocks", time.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME), time.time(), time.process_time(), used.user + used.system, flush=True)
    wake_at += 0.1
    time.sleep(max(0, wake_at - time.monotonic()))
`;
/** More than 255 bytes of their paths. */
const LAYERS = 8;
const KEEPS_WRITING = `
import threading, time
def write():
    while True:
        with open("/srv/now", "w") as file:
            file.write(str(time.time()))
        time.sleep(0.01)
threading.Thread(target=write, daemon=True).start()
`;
const LAYER_BYTES = 1_000_000;
const HAS_THREADS = "import threading, time\nthreading.Thread(target=time.sleep, args=(1e6,), daemon=True).start()\n";
const LISTENER = `
import sys
for line in sys.stdin:
    print("heard", line.strip(), flush=True)
print("nobody speaks any more", flush=True)
`;

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
  "a file on a tmpfs that it has mapped": [
    { Cmd: ["python3", "-S", "-B", "-c", `${MAPS_A_FILE}${COUNTING_SERVER}`, "0.0.0.0"] },
    { Tmpfs: { "/tmp": "size=16m" } },
  ],
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
  "files of its host that it may only read": [{}, { Binds: ["/etc/os-release:/etc/os-release:ro", "/etc/apt:/srv/apt:ro"] }],
  "no log": [{}, { LogConfig: { Type: "none", Config: {} } }],
};

describe("A workload that is run with", function () {
  this.timeout(600_000);
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

  for (const [whose, program, hostConfig] of [
    ["", LISTENER, {}],
    [
      " of a program with threads in a cgroup namespace of its own",
      `${HAS_THREADS}${LISTENER}`,
      { CgroupnsMode: "private" } as Docker.HostConfig,
    ],
  ] as const)
    it(`an open standard input${whose} goes on with it: what is told it is heard, there and back`, async () => {
      const name = "listener";
      const { lab } = moving.fleet;
      const Cmd = ["python3", "-S", "-B", "-c", program];
      const options = { Cmd, OpenStdin: true, StdinOnce: false };
      await (await lab.node(FIRST).docker.createContainer(container(8, name, options, hostConfig))).start();
      const said: string[] = [];
      const tell = async (node: string, word: string) => {
        const there = lab.node(node).docker.getContainer(name);
        const stream = await there.attach({ stream: true, stdin: true, hijack: true });
        stream.write(`${word}\n`);
        said.push(`heard ${word}`);
        await waitFor(`${word} to be heard`, async () => (await lab.node(node).exec(["docker", "logs", name])).stdout === said.join("\n"));
        stream.end();
      };
      await tell(FIRST, "at first");
      for (const [from, to, mode] of [
        [FIRST, SECOND, "postcopy"],
        [SECOND, FIRST, "stopcopy"],
      ] as const) {
        await moving.moveWell(name, from, to, mode);
        await settledOn(moving.fleet, name, to);
        await tell(to, `on ${to}`);
        await tell(to, "once more");
      }
      await lab.node(FIRST).docker.getContainer(name).remove({ force: true });
    });

  it("hosts, name servers and a name in /etc that it has changed itself goes on with them, there and back", async () => {
    const name = "changer";
    const Cmd = ["python3", "-S", "-B", "-c", `${CHANGES_ETC}${COUNTING_SERVER}`, "0.0.0.0"];
    await (await moving.fleet.lab.node(FIRST).docker.createContainer(container(7, name, { Cmd }, {}))).start();
    const talk = await startTalk(moving.fleet.lab, addressOf(7), "talk-changer");
    const program = "for each in ('hosts', 'resolv.conf', 'hostname'): print(open('/etc/' + each).read())";
    const seen = async (node: string) =>
      (await moving.fleet.lab.node(node).exec(["docker", "exec", name, "python3", "-S", "-c", program])).stdout;
    const before = await seen(FIRST);
    expect(before).to.include("10.77.0.201\tdb").and.include("timeout:3").and.include("till-7");
    for (const [from, to] of [
      [FIRST, SECOND],
      [SECOND, FIRST],
    ] as const) {
      await moving.moveWell(name, from, to);
      await settledOn(moving.fleet, name, to);
      await talk.goOn();
      expect(await seen(to)).to.equal(before);
    }
    await talk.end();
    await moving.fleet.lab.node(FIRST).docker.getContainer(name).remove({ force: true });
  });

  it("clocks that count from boot sees them go on between nodes that were not booted together, there and back", async () => {
    const name = "clock";
    const Cmd = ["python3", "-S", "-B", "-c", CLOCK];
    await (await moving.fleet.lab.node(FIRST).docker.createContainer(container(6, name, { Cmd }, {}))).start();
    const read = async (node: string) =>
      (await moving.fleet.lab.node(node).exec(["docker", "logs", name])).stdout
        .split("\n")
        .filter((line) => line.startsWith("clocks "))
        .map((line) => line.split(" ").slice(1).map(Number));
    const uptimes = await Promise.all(
      [FIRST, SECOND].map(async (node) => Number((await moving.fleet.lab.node(node).exec(["cut", "-d.", "-f1", "/proc/uptime"])).stdout)),
    );
    expect(Math.abs(uptimes[0]! - uptimes[1]!)).to.be.greaterThan(3600);
    for (const [from, to] of [
      [FIRST, SECOND],
      [SECOND, FIRST],
    ] as const) {
      const { length } = await waitFor("some readings", async () => (await read(from)).length > 10 && read(from));
      await moving.moveWell(name, from, to);
      const readings = await waitFor("readings there", async () => (await read(to)).length > length + 10 && read(to));
      for (const [index, [monotonic, boottime, day]] of readings.entries()) {
        if (index === 0) continue;
        const [monotonicBefore, boottimeBefore, dayBefore] = readings[index - 1]!;
        const elapsed = day! - dayBefore!;
        // Less by the blackout at most: from boot is counted as long as it runs.
        expect(monotonic! - monotonicBefore!, String(index)).to.be.within(0, elapsed + 0.5);
        expect(boottime! - boottimeBefore!, String(index)).to.be.within(0, elapsed + 0.5);
      }
      // CPU time begins anew, as the README says.
      for (const used of readings.at(-1)!.slice(3)) expect(used).to.be.within(0, 0.9);
    }
    await moving.fleet.lab.node(FIRST).docker.getContainer(name).remove({ force: true });
  });

  it("an image of which the other node has all but the top layer goes there, and only that layer is sent", async () => {
    const { docker } = moving.fleet.lab.node(FIRST);
    const builder = await docker.createContainer({
      Image: IMAGE_BRINGER.image,
      Cmd: ["python3", "-S", "-c", `import os; open('/srv/more', 'wb').write(os.urandom(${LAYER_BYTES}))`],
      HostConfig: { NetworkMode: "none" },
    });
    await builder.start();
    await builder.wait();
    await builder.commit({ repo: "derived", tag: "1" });
    await builder.remove();
    const made = await docker.createContainer({ ...container(9, "derived", {}, {}), Image: "derived:1" });
    await made.start();
    const { Id, Size } = await docker.getImage("derived:1").inspect();
    // By the time of the move the name means another one.
    await docker.getImage(IMAGE_BRINGER.image).tag({ repo: "derived", tag: "1" });
    const record = await moving.moveWell("derived", FIRST, SECOND);
    expect(record.bytes["image"]).to.be.within(LAYER_BYTES, LAYER_BYTES + Size / 10);
    expect((await moving.fleet.lab.node(SECOND).docker.getContainer("derived").inspect()).Image).to.equal(Id);
    await settledOn(moving.fleet, "derived", SECOND);
  });

  it("an entrypoint that was emptied, an image of many layers and files that it keeps writing goes on and can be restarted", async () => {
    const name = "layered";
    const { docker } = moving.fleet.lab.node(FIRST);
    let Image = IMAGE_BRINGER.image;
    for (let layer = 1; layer <= LAYERS; layer++) {
      const Cmd = ["python3", "-S", "-c", `open('/srv/layer-${layer}', 'w').close()`];
      const builder = await docker.createContainer({ Image, Entrypoint: [""], Cmd, HostConfig: { NetworkMode: "none" } });
      await builder.start();
      await builder.wait();
      await builder.commit({ repo: name, tag: String(layer), changes: 'ENTRYPOINT ["false"]' });
      await builder.remove();
      Image = `${name}:${layer}`;
    }
    const Cmd = ["python3", "-S", "-B", "-c", `${KEEPS_WRITING}${COUNTING_SERVER}`, "0.0.0.0"];
    await (await docker.createContainer({ ...container(5, name, { Entrypoint: [""], Cmd }, {}), Image })).start();
    const talk = await startTalk(moving.fleet.lab, addressOf(5), "talk-layered");
    for (const [from, to] of [
      [FIRST, SECOND],
      [SECOND, FIRST],
    ] as const) {
      await moving.moveWell(name, from, to);
      await settledOn(moving.fleet, name, to);
      await talk.goOn();
      expect((await moving.fleet.lab.node(to).docker.getContainer(name).inspect()).Config.Entrypoint).to.equal(null);
    }
    await talk.isWhole();
    await talk.end();
    await docker.getContainer(name).restart({ t: 1 });
    const again = await startTalk(moving.fleet.lab, addressOf(5), "talk-layered-again");
    await again.end();
    await docker.getContainer(name).remove({ force: true });
  });

  it("volumes that nobody has named has them with it, and they go when it goes, as --rm wants", async () => {
    const name = "nameless";
    const volumesOn = async (node: string) => (await moving.fleet.lab.node(node).docker.listVolumes()).Volumes.map((volume) => volume.Name);
    const before = [await volumesOn(FIRST), await volumesOn(SECOND)];
    // Docker tells of so many in another order each time.
    const changes = { Volumes: Object.fromEntries(["by-option", "a", "b", "c", "d"].map((place) => [`/${place}`, {}])) };
    const mounts = { AutoRemove: true, Mounts: [{ Type: "volume", Target: "/by-mount" }] as never };
    await (await moving.fleet.lab.node(FIRST).docker.createContainer(container(4, name, changes, mounts))).start();
    const inside = async (node: string, program: string) =>
      (await moving.fleet.lab.node(node).exec(["docker", "exec", name, "python3", "-S", "-c", program])).stdout.trim();
    await inside(FIRST, "[open(f'/by-{way}/note', 'w').write(way) for way in ('option', 'mount')]");
    await moving.moveWell(name, FIRST, SECOND);
    await settledOn(moving.fleet, name, SECOND);
    expect(await inside(SECOND, "print(*(open(f'/by-{way}/note').read() for way in ('option', 'mount')))")).to.equal("option mount");
    await moving.fleet.lab.node(SECOND).docker.getContainer(name).stop({ t: 1 });
    await waitFor("it to be removed with its volumes", async () => {
      const left = [await volumesOn(FIRST), await volumesOn(SECOND)];
      return JSON.stringify(left) === JSON.stringify(before);
    });
  });

  it("no network any more, though it was made with one, stays without", async () => {
    const name = "quarantined";
    const { docker } = moving.fleet.lab.node(FIRST);
    await (await docker.createContainer(container(3, name, {}, {}))).start();
    await docker.getNetwork(FLEET_NETWORK).disconnect({ Container: name });
    await moving.moveWell(name, FIRST, SECOND);
    const seen = await moving.fleet.lab.node(SECOND).docker.getContainer(name).inspect();
    expect(Object.keys(seen.NetworkSettings.Networks)).to.deep.equal([]);
    await settledOn(moving.fleet, name, SECOND);
    await moving.fleet.lab.node(SECOND).docker.getContainer(name).remove({ force: true });
  });

  const said = async (name: string, node: string) =>
    (await moving.fleet.lab.node(node).exec(["docker", "logs", name])).stdout.split("\n").filter((line) => line.startsWith("line "));

  for (const [index, [kind, config]] of Object.entries({
    "a log that has been rotated": { Type: "json-file", Config: { "max-size": "2k", "max-file": "3" } },
    "a log that has been rotated and packed": { Type: "json-file", Config: { "max-size": "2k", "max-file": "3", compress: "true" } },
    "a log of the driver local": { Type: "local", Config: {} },
  }).entries()) {
    it(`${kind} still has all of it afterwards`, async () => {
      const name = `speaker-${index}`;
      const { docker } = moving.fleet.lab.node(FIRST);
      const made = await docker.createContainer({
        ...container(index, name, { Cmd: ["python3", "-S", "-B", "-c", SPEAKER] }, { LogConfig: config }),
      });
      await made.start();
      const before = await waitFor("all to be said", async () => {
        const lines = await said(name, FIRST);
        return lines.at(-1) === `line ${LINES}` ? lines : null;
      });
      await moving.moveWell(name, FIRST, SECOND);
      expect(await said(name, SECOND)).to.deep.equal(before);
    });
  }

  it("a log that is rotated for the first time while it moves still has all of it afterwards", async () => {
    const name = "late-speaker";
    const first = moving.fleet.lab.node(FIRST);
    const LogConfig = { Type: "json-file", Config: { "max-size": "2k", "max-file": "3" } };
    const made = await first.docker.createContainer(
      container(8, name, { Cmd: ["python3", "-S", "-B", "-c", LATE_SPEAKER] }, { LogConfig }),
    );
    await made.start();
    await waitFor("the first lines", async () => (await said(name, FIRST)).length === 5);
    // Once the last round before the freeze has carried the log.
    const docker = `docker --host unix:///shared/${FIRST}/docker.sock`;
    const script = [
      'rsync.real "$@"; code=$?',
      'case "$*" in *peer/log/*) ;; *) exit $code ;; esac',
      "[ -e /run/late ] && exit $code",
      `touch /run/late; ${docker} kill -s USR1 ${name}`,
      `until ${docker} logs ${name} | grep -qx "line 35"; do sleep 0.05; done`,
      "exit $code",
    ].join("\n");
    await withProgram(first, "/usr/bin/rsync", script, () => moving.moveWell(name, FIRST, SECOND));
    expect(await said(name, SECOND)).to.deep.equal(Array.from({ length: 35 }, (_, index) => `line ${index + 1}`));
  });
});
