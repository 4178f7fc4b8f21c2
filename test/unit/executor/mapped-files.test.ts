import { expect } from "chai";
import { mountOf, sortIntoTrees } from "../../../executor/engine/docker/mapped-files.js";

describe("Files that a workload has mapped writable", () => {
  const trees = [
    { name: "rootfs", path: "/overlay", mountedAt: "/" },
    { name: "volume-0", path: "/volumes/a", mountedAt: "/data" },
    { name: "log", path: "/containers/a" },
  ];
  const mounts = ["/", "/proc", "/data", "/data/cache", "/tmp", "/dev/shm"];
  const sorted = (...paths: string[]) =>
    Object.fromEntries(sortIntoTrees(new Map(paths.map((path) => [path, mountOf(path, mounts)])), trees));

  it("belong to the tree that is mounted where they are", () => {
    expect(sorted("/srv/a", "/data/b/c", "/database")).to.deep.equal({ rootfs: ["srv/a", "database"], "volume-0": ["b/c"] });
  });

  it("are nobody's on a tmpfs or another mount, whatever is around it", () => {
    expect(sorted("/tmp/hsperfdata_app/1", "/data/cache/x", "/dev/shm/y")).to.deep.equal({});
  });
});
