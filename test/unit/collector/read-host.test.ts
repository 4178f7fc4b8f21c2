import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { parseCgroupMounts } from "../../../collector/cgroup-mounts.js";
import { makeProbe, type Probe } from "../../../collector/probe.js";
import { type HostReading, readHost } from "../../../collector/read-host.js";
import { type Fixture, fixturePath, withCopyOf } from "./fixtures.js";

async function read(root: string): Promise<{ host: HostReading; probe: Probe }> {
  const probe = makeProbe(root);
  const mounts = await probe.read("cgroups", "/proc/self/mountinfo", parseCgroupMounts);
  return { host: await readHost(probe, mounts!), probe };
}
const readFixture = (name: Fixture) => read(fixturePath(name));

describe("reading the host", () => {
  it("takes a plain host's use and size from /proc", async () => {
    const { host, probe } = await readFixture("plain-host");
    expect(probe.failures).to.deep.equal([]);
    expect(host.cpuCapacityCores).to.equal(2);
    expect(host.cpuUsedSeconds?.total).to.be.closeTo(1083.93, 1e-6);
    expect(host.memoryCapacityBytes).to.equal(24684092 * 1024);
    expect(host.memoryUsedBytes).to.equal((24684092 - 23916728) * 1024);
    expect(host.memoryAvailableBytes).to.equal(23916728 * 1024);
    expect(host.pressure.cpu.someRatio).to.equal(0.5714);
  });

  it("takes a confined node's use and size from its cgroup, version 1", async () => {
    const { host, probe } = await readFixture("v1-node");
    expect(probe.failures).to.deep.equal([]);
    expect(host.cpuCapacityCores).to.equal(2);
    expect(host.cpuUsedSeconds?.total).to.be.closeTo(1.12461493, 1e-9);
    expect(host.memoryCapacityBytes).to.equal(512 * 2 ** 20);
    expect(host.memoryUsedBytes).to.equal(24346624 - 20492288);
    expect(host.memoryAvailableBytes).to.equal(512 * 2 ** 20 - (24346624 - 20492288));
    expect(host.pressure.cpu.someRatio, "its own, not the machine's").to.equal(0.0452);
  });

  it("takes a confined node's use and size from its cgroup, version 2", async () => {
    const { host, probe } = await readFixture("v2-node");
    expect(probe.failures).to.deep.equal([]);
    expect(host.cpuCapacityCores).to.equal(1.5);
    expect(host.cpuUsedSeconds?.total).to.equal(9123.456789);
    expect(host.memoryCapacityBytes).to.equal(2 ** 30);
    expect(host.memoryUsedBytes).to.equal(600_000_000);
    expect(host.pressure.memory).to.deep.equal({ someRatio: 0.125, fullRatio: 0.025 });
    expect([...host.disk!.read.keys()], "the disk, not the LVM volume above it").to.deep.equal(["8:0"]);
  });

  it("never gives a node more CPUs than the machine has", () =>
    withCopyOf("v2-node", async (root) => {
      await writeFile(join(root, "sys/fs/cgroup/cpu.max"), "800000 100000\n");
      expect((await read(root)).host.cpuCapacityCores).to.equal(2);
    }));

  it("keeps to /proc for the resource that has no limit", () =>
    withCopyOf("v2-node", async (root) => {
      await writeFile(join(root, "sys/fs/cgroup/memory.max"), "max\n");
      const { host } = await read(root);
      expect(host.memoryCapacityBytes).to.equal(24684092 * 1024);
      expect(host.cpuCapacityCores).to.equal(1.5);
    }));

  it("counts the network card of a host, and the border link of a node in a namespace", async () => {
    expect([...(await readFixture("plain-host")).host.network!.receive.keys()]).to.deep.equal(["eth0"]);
    expect([...(await readFixture("v1-node")).host.network!.receive.keys()]).to.deep.equal(["eth0"]);
  });

  it("has no pressure and no failure on a kernel that keeps none", () =>
    withCopyOf("plain-host", async (root) => {
      await rm(join(root, "proc/pressure"), { recursive: true });
      const { host, probe } = await read(root);
      expect(host.pressure.io).to.deep.equal({ someRatio: null, fullRatio: null });
      expect(probe.failures).to.deep.equal([]);
    }));

  it("does not take the machine's pressure for that of a confined node", () =>
    withCopyOf("v1-node", async (root) => {
      await rm(join(root, "sys/fs/cgroup/unified/cgroup.events"));
      expect((await read(root)).host.pressure.cpu).to.deep.equal({ someRatio: null, fullRatio: null });
    }));

  const files: [Fixture, string, keyof HostReading, string][] = [
    ["plain-host", "proc/stat", "cpuUsedSeconds", "cpu"],
    ["plain-host", "proc/meminfo", "memoryUsedBytes", "memory"],
    ["plain-host", "proc/self/net/dev", "network", "network"],
    ["plain-host", "proc/diskstats", "disk", "disk"],
    ["v1-node", "sys/fs/cgroup/cpuacct/cpuacct.usage", "cpuUsedSeconds", "cpu"],
    ["v1-node", "sys/fs/cgroup/memory/memory.stat", "memoryUsedBytes", "memory"],
    ["v2-node", "sys/fs/cgroup/cpu.stat", "cpuUsedSeconds", "cpu"],
    ["v2-node", "sys/fs/cgroup/memory.stat", "memoryUsedBytes", "memory"],
    ["v2-node", "sys/fs/cgroup/io.stat", "disk", "disk"],
  ];
  for (const [fixture, path, field, source] of files) {
    for (const [how, damage] of [
      ["is gone", (file: string) => rm(file)],
      ["holds rubbish", (file: string) => writeFile(file, "x\ny\nz: rbytes=\n")],
    ] as const) {
      it(`gives unknown and a failure, not zero, when ${path} of a ${fixture} ${how}`, () =>
        withCopyOf(fixture, async (root) => {
          await damage(join(root, path));
          const { host, probe } = await read(root);
          expect(host[field]).to.equal(null);
          expect(probe.failures.map((failure) => failure.source)).to.include(source);
        }));
    }
  }
});
