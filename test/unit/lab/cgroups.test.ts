import { expect } from "chai";
import { readHierarchies } from "../../../lab/cgroups.js";

const HYBRID = `24 23 0:21 / /proc rw - proc proc rw
31 24 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
33 31 0:30 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
34 31 0:31 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
35 31 0:32 / /nowhere/unified rw,relatime - cgroup2 cgroup2 rw
36 31 0:30 / /mnt/memory-again rw,relatime - cgroup cgroup rw,memory
37 31 0:30 /inner /mnt/part-of-memory rw,relatime - cgroup cgroup rw,memory
`;

describe("the host's cgroup hierarchies", () => {
  it("are found in the mount table, with their controllers, each once, and only whole", () => {
    expect(readHierarchies(HYBRID)).to.deep.equal([
      { version: 1, controllers: ["cpu", "cpuacct"], mountPoint: "/sys/fs/cgroup/cpu,cpuacct" },
      { version: 1, controllers: ["memory"], mountPoint: "/sys/fs/cgroup/memory" },
      { version: 1, controllers: [], mountPoint: "/sys/fs/cgroup/systemd" },
      { version: 2, controllers: [], mountPoint: "/nowhere/unified" },
    ]);
  });

  it("are none where nothing is mounted", () => {
    expect(readHierarchies("24 23 0:21 / /proc rw - proc proc rw\n")).to.deep.equal([]);
  });
});
