import { expect } from "chai";
import { matchTrees } from "../../../executor/migration/matched-trees.js";

describe("The file trees of both ends", () => {
  const rootfs = { name: "rootfs", path: "/var/lib/docker/overlay2/a/diff" };
  const log = { name: "log", path: "/var/lib/docker/containers/a", file: "a-json.log" };

  it("are matched by name, whatever their order", () => {
    const there = [
      { name: "log", file: "b-json.log" },
      { name: "rootfs", file: null },
    ];
    expect(matchTrees([rootfs, log], there)).to.deep.equal([
      { tree: rootfs, remoteFile: null },
      { tree: log, remoteFile: "b-json.log" },
    ]);
  });

  it("must all be there: nothing is left behind in silence", () => {
    expect(() => matchTrees([rootfs, log], [{ name: "rootfs", file: null }])).to.throw(/the twin has no log/);
  });

  it("may be more at the destination", () => {
    const there = [
      { name: "rootfs", file: null },
      { name: "volume-0", file: null },
    ];
    expect(matchTrees([rootfs], there)).to.have.length(1);
  });
});
