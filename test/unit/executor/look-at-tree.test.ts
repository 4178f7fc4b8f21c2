import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { isAsBefore } from "../../../executor/migration/files.js";
import { isThere, lookAt } from "../../../executor/migration/look-at-tree.js";
import { waitFor } from "../../support/wait-for.js";

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
    expect(trees.filter(isThere).map(({ name }) => name)).to.deep.equal(["rootfs", "volume-0", "log-2"]);
  });

  it("have changed once a log is rotated that never was before, and not while it is not", async () => {
    const path = await mkdtemp(join(tmpdir(), "evenkeel-log-"));
    const trees = ["json.log", "json.log.1"].map((file, index) => ({ name: `log-${index}`, path, file }));
    await writeFile(join(path, "json.log"), "line 1\n");
    const looks = new Map<string, string | null>();
    for (const tree of trees) {
      await waitFor("a look", async () => {
        looks.set(tree.name, await lookAt(tree));
        return looks.get(tree.name) !== null;
      });
    }
    const synced = { trees: trees.map((tree) => ({ tree, remoteFile: null })), looks, unsure: new Map() };
    const asBefore = () => Promise.all(trees.map(({ name }) => isAsBefore(synced, name)));
    expect(await asBefore()).to.deep.equal([true, true]);
    await rename(join(path, "json.log"), join(path, "json.log.1"));
    await writeFile(join(path, "json.log"), "line 2\n");
    expect(await asBefore()).to.deep.equal([false, false]);
    await rm(path, { recursive: true });
  });
});
