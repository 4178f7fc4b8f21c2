import { expect } from "chai";
import { freezerOf } from "../../../executor/engine/docker/freezer.js";

const FIRST = "31 30 0:27 / /sys/fs/cgroup/freezer rw,nosuid shared:9 - cgroup cgroup rw,freezer";
const SECOND = "42 30 0:28 / /sys/fs/cgroup/unified rw,nosuid shared:10 - cgroup2 cgroup2 rw";
const ID = "a0b1c2";

describe("The cgroup by which a container is frozen", () => {
  it("is the one of version 1's freezer hierarchy", () => {
    const groups = "12:cpu,cpuacct:/docker/a0b1c2\n3:freezer:/docker/a0b1c2\n0::/\n";
    expect(freezerOf(groups, `${FIRST}\n${SECOND}`, ID)).to.equal("/sys/fs/cgroup/freezer/docker/a0b1c2");
  });

  it("is found where only a part of the hierarchy is mounted", () => {
    const mounts = FIRST.replace(" / /sys", " /lab/node1 /sys");
    expect(freezerOf("3:freezer:/lab/node1/docker/a0b1c2\n", mounts, ID)).to.equal("/sys/fs/cgroup/freezer/docker/a0b1c2");
    expect(freezerOf("3:freezer:/lab/node10/docker/a0b1c2\n", mounts, ID)).to.equal(null);
  });

  it("is the container's own where there is version 2 alone", () => {
    const mounts = SECOND.replace("/unified", "");
    expect(freezerOf("0::/system.slice/docker-a0b1c2.scope\n", mounts, ID)).to.equal("/sys/fs/cgroup/system.slice/docker-a0b1c2.scope");
  });

  it("is the container's own where its first process has made another for itself", () => {
    const mounts = SECOND.replace("/unified", "");
    expect(freezerOf("0::/system.slice/docker-a0b1c2.scope/init.scope\n", mounts, ID)).to.equal(
      "/sys/fs/cgroup/system.slice/docker-a0b1c2.scope",
    );
    expect(freezerOf("3:freezer:/docker/a0b1c2/own/deeper\n", FIRST, ID)).to.equal("/sys/fs/cgroup/freezer/docker/a0b1c2");
  });

  it("is not that of version 2 beside hierarchies of version 1, of which CRIU is not told", () => {
    const mounts = `${FIRST.replace("rw,freezer", "rw,memory")}\n${SECOND}`;
    expect(freezerOf("4:memory:/docker/a0b1c2\n0::/docker/a0b1c2\n", mounts, ID)).to.equal(null);
  });
});
