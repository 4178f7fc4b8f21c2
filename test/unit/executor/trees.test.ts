import { expect } from "chai";
import { withLogsThere } from "../../../executor/engine/docker/trees.js";

describe("The file trees of a source", () => {
  it("go without logs that there are not, but never without what the workload sees", () => {
    const missing = { path: "/nowhere" };
    const trees = [
      { ...missing, name: "rootfs", mountedAt: "/" },
      { ...missing, name: "volume-0", mountedAt: "/data" },
      { ...missing, name: "log", file: "a-json.log" },
      { ...missing, name: "log-1", file: "a-json.log.1" },
      { name: "log-2", path: "/etc", file: "passwd" },
    ];
    expect(withLogsThere(trees).map(({ name }) => name)).to.deep.equal(["rootfs", "volume-0", "log-2"]);
  });
});
