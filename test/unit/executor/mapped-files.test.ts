import { expect } from "chai";
import { type MappedFiles, mappedIn, parseMounts, sortIntoTrees } from "../../../executor/engine/docker/mapped-files.js";

const MOUNTINFO = `
600 500 0:51 / / rw,relatime - overlay overlay rw,lowerdir=a:b
601 600 0:60 / /proc rw - proc proc rw
602 600 254:0 /var/lib/docker/volumes/a/_data /data rw - ext4 /dev/vda rw
603 602 0:70 / /data/cache rw - tmpfs tmpfs rw
604 600 0:71 / /tmp rw - tmpfs tmpfs rw
605 600 254:0 /var/lib/docker/volumes/b/_data/deep/sub /part rw - ext4 /dev/vda rw
606 600 254:0 /srv/with\\040blank /folder rw - ext4 /dev/vda rw
`;
const trees = [
  { name: "rootfs", path: "/overlay", mountedAt: "/" },
  { name: "volume-0", path: "/var/lib/docker/volumes/a/_data", mountedAt: "/data" },
  { name: "volume-1", path: "/var/lib/docker/volumes/b/_data", mountedAt: "/part", subpath: "deep/sub" },
  { name: "folder-0", path: "/srv/with blank", mountedAt: "/folder" },
  { name: "log", path: "/containers/a" },
];
const sorted = (...files: MappedFiles["files"]) => Object.fromEntries(sortIntoTrees({ files, mounts: parseMounts(MOUNTINFO) }, trees));

describe("Files that a workload has mapped writable", () => {
  it("belong to the tree that holds them in their file system", () => {
    expect(
      sorted(
        { device: "0:51", path: "/srv/a" },
        { device: "254:0", path: "/var/lib/docker/volumes/a/_data/b/c" },
        { device: "254:0", path: "/srv/with blank/x" },
        { device: "0:51", path: "/database" },
      ),
    ).to.deep.equal({ rootfs: ["srv/a", "database"], "volume-0": ["b/c"], "folder-0": ["x"] });
  });

  it("are called as in the whole volume where only a folder of it is mounted", () => {
    expect(sorted({ device: "254:0", path: "/var/lib/docker/volumes/b/_data/deep/sub/x" })).to.deep.equal({ "volume-1": ["deep/sub/x"] });
  });

  it("are nobody's on a tmpfs or another mount, whatever is around it", () => {
    expect(
      sorted({ device: "0:71", path: "/hsperfdata_app/1" }, { device: "0:70", path: "/x" }, { device: "254:0", path: "/srv/y" }),
    ).to.deep.equal({});
  });

  it("are read from the kernel's list of mappings: shared, writable, with a name that is still there", () => {
    const lines = [
      "7f00-7f10 rw-s 00000000 fe:00 42                         /data/two\\012lines",
      "7f10-7f20 rw-s 00000000 fe:00 43                         /data/gone (deleted)",
      "7f20-7f30 r--s 00000000 fe:00 44                         /data/read",
      "7f30-7f40 rw-p 00000000 fe:00 45                         /data/private",
      "7f40-7f50 rw-s 00000000 00:01 0                          /dev/zero",
    ];
    expect(mappedIn(lines.join("\n"))).to.deep.equal(["/data/two\nlines"]);
  });
});
