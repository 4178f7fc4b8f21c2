import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { nodePlaceOf, parseCgroupMounts, parseMemberships, placeOf } from "../../../collector/cgroup-mounts.js";
import { fixturePath } from "./fixtures.js";

const mountLine = (root: string, at: string, type: string, options: string) =>
  `48 47 0:29 ${root} ${at} rw,relatime shared:4 - ${type} ${type} ${options}\n`;

describe("finding a container's cgroup", () => {
  it("uses v1 for each controller that is mounted there, on a hybrid host", () => {
    const mounts = parseCgroupMounts(readFileSync(join(fixturePath("plain-host"), "proc/self/mountinfo"), "utf8"));
    const memberships = parseMemberships("4:memory:/docker/abc\n1:cpu:/docker/abc\n0::/\n");
    expect(placeOf(mounts, memberships, "memory")).to.deep.equal({ version: 1, directory: "/sys/fs/cgroup/memory/docker/abc" });
    expect(nodePlaceOf(mounts, "memory")).to.deep.equal({ version: 1, directory: "/sys/fs/cgroup/memory" });
  });

  it("uses v2 where nothing else is mounted", () => {
    const mounts = parseCgroupMounts(mountLine("/", "/sys/fs/cgroup", "cgroup2", "rw"));
    const memberships = parseMemberships("0::/system.slice/docker-abc.scope\n");
    expect(placeOf(mounts, memberships, "memory")).to.deep.equal({
      version: 2,
      directory: "/sys/fs/cgroup/system.slice/docker-abc.scope",
    });
  });

  it("knows controllers that share one mount", () => {
    const mounts = parseCgroupMounts(mountLine("/", "/sys/fs/cgroup/cpu,cpuacct", "cgroup", "rw,cpu,cpuacct"));
    const memberships = parseMemberships("2:cpu,cpuacct:/docker/abc\n");
    for (const controller of ["cpu", "cpuacct"])
      expect(placeOf(mounts, memberships, controller)?.directory).to.equal("/sys/fs/cgroup/cpu,cpuacct/docker/abc");
  });

  it("allows for a mount that shows only a part of the hierarchy", () => {
    const mounts = parseCgroupMounts(mountLine("/lxc/n1", "/sys/fs/cgroup/memory", "cgroup", "rw,memory"));
    const inside = parseMemberships("4:memory:/lxc/n1/docker/abc\n");
    const beside = parseMemberships("4:memory:/lxc/n12/docker/abc\n");
    expect(placeOf(mounts, inside, "memory")?.directory).to.equal("/sys/fs/cgroup/memory/docker/abc");
    expect(placeOf(mounts, beside, "memory")).to.equal(null);
  });

  it("says nothing of a process outside the cgroup namespace", () => {
    const mounts = parseCgroupMounts(mountLine("/", "/sys/fs/cgroup", "cgroup2", "rw"));
    expect(placeOf(mounts, parseMemberships("0::/../other\n"), "memory")).to.equal(null);
  });

  it("keeps colons that are part of a path", () => {
    expect(parseMemberships("0::/a:b/c\n").get("")).to.equal("/a:b/c");
  });
});
