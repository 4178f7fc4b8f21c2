import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { parseCgroupMounts } from "../../../collector/cgroup-mounts.js";
import type { Container } from "../../../collector/containers.js";
import { makeProbe } from "../../../collector/probe.js";
import { readWorkload } from "../../../collector/read-workload.js";
import { CONTAINER, fixturePath, withCopyOf } from "./fixtures.js";

async function read(root: string, container: Container = CONTAINER) {
  const probe = makeProbe(root);
  const mounts = await probe.read("cgroups", "/proc/self/mountinfo", parseCgroupMounts);
  return { workload: await readWorkload(probe, mounts!, container), failures: probe.failures };
}

describe("reading a container", () => {
  it("finds its CPU, working set, limits and pids in cgroup v1", async () => {
    const { workload, failures } = await read(fixturePath("v1-node"));
    expect(failures).to.deep.equal([]);
    expect(workload.cpuUsedSeconds?.total).to.be.closeTo(1.050875747, 1e-9);
    expect(workload.memoryUsedBytes).to.equal(21139456 - 20045824);
    expect(workload.memoryLimitBytes).to.equal(64 * 2 ** 20);
    expect(workload.cpuLimitCores).to.equal(0.5);
    expect(workload.pids).to.equal(2);
    expect(workload.isFrozen).to.equal(false);
  });

  it("finds them in cgroup v2, where it is frozen", async () => {
    const { workload, failures } = await read(fixturePath("v2-node"));
    expect(failures).to.deep.equal([]);
    expect(workload.cpuUsedSeconds?.total).to.equal(2.5);
    expect(workload.memoryUsedBytes).to.equal(50_000_000);
    expect(workload.memoryLimitBytes).to.equal(null);
    expect(workload.cpuLimitCores).to.equal(null);
    expect(workload.pids).to.equal(7);
    expect(workload.isFrozen).to.equal(true);
  });

  it("says unknown and why when its process is gone", async () => {
    const { workload, failures } = await read(fixturePath("v2-node"), { ...CONTAINER, pid: 4243 });
    expect(workload.cpuUsedSeconds).to.equal(null);
    expect(workload.memoryUsedBytes).to.equal(null);
    expect(failures).to.deep.equal([{ source: "workload", message: "/proc/4243/cgroup: ENOENT" }]);
  });

  it("is not fooled by another process that was given the same pid", () =>
    withCopyOf("v2-node", async (root) => {
      await writeFile(join(root, "proc/4242/cgroup"), "0::/system.slice/cron.service\n");
      const { workload, failures } = await read(root);
      expect(workload.memoryUsedBytes).to.equal(null);
      expect(failures[0]?.message).to.equal("web: process 4242 is not in the container's cgroup");
    }));

  it("never takes the whole node's memory for the container's when its own folder is not visible", () =>
    withCopyOf("v1-node", async (root) => {
      await writeFile(join(root, "proc/4242/cgroup"), `4:memory:/\n2:cpuacct:/docker/${CONTAINER.id}\n`);
      const { workload, failures } = await read(root);
      expect(workload.memoryUsedBytes).to.equal(null);
      expect(workload.cpuUsedSeconds?.total).to.be.greaterThan(1);
      expect(failures.map((failure) => failure.message)).to.include("web: its memory cgroup is not visible here");
    }));

  it("loses only the value whose file fails", () =>
    withCopyOf("v2-node", async (root) => {
      await rm(join(root, `sys/fs/cgroup/system.slice/docker-${CONTAINER.id}.scope/memory.stat`));
      const { workload, failures } = await read(root);
      expect(workload.memoryUsedBytes).to.equal(null);
      expect(workload.cpuUsedSeconds?.total).to.equal(2.5);
      expect(failures).to.have.length(1);
    }));

  it("knows nothing, without a failure, of one that is between two attempts to start", async () => {
    const { workload, failures } = await read(fixturePath("v2-node"), { ...CONTAINER, state: "restarting", pid: 0 });
    expect(workload.cpuUsedSeconds).to.equal(null);
    expect(failures).to.deep.equal([]);
  });
});
