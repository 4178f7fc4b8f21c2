import { appendFile, chmod, mkdir, mkdtemp, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { fingerprint } from "../../../executor/migration/fingerprint.js";
import { waitFor } from "../../support/wait-for.js";

describe("the fingerprint of a tree", () => {
  let path: string;
  const look = () => fingerprint({ name: "tree", path });
  /** Once its newest change is old enough to be told from a later one. */
  const settled = () => waitFor("the tree to settle", look);

  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), "evenkeel-tree-"));
    await mkdir(join(path, "folder"));
    await writeFile(join(path, "folder", "file"), "same size");
  });
  afterEach(() => rm(path, { recursive: true }));

  it("stays the same while nothing changes", async () => {
    expect(await settled()).to.equal(await settled());
  });

  const changes: Record<string, () => Promise<unknown>> = {
    "is rewritten with the same size and its old time": async () => {
      await writeFile(join(path, "folder", "file"), "size same");
      await utimes(join(path, "folder", "file"), 1, 1);
    },
    "is appended to": () => appendFile(join(path, "folder", "file"), "x"),
    "gets another mode": () => chmod(join(path, "folder", "file"), 0o600),
    "gets another name": () => rename(join(path, "folder", "file"), join(path, "folder", "elif")),
    "is removed": () => rm(join(path, "folder", "file")),
    "gets a neighbour": () => writeFile(join(path, "folder", "new"), ""),
  };
  for (const [name, change] of Object.entries(changes)) {
    it(`differs when a file ${name}`, async () => {
      const before = await settled();
      await change();
      expect(await look()).to.not.equal(before);
      expect(await settled()).to.not.equal(before);
    });
  }

  it("vouches for nothing right after a change", async () => {
    await settled();
    await writeFile(join(path, "folder", "file"), "again");
    expect(await look()).to.equal(null);
  });

  it("vouches for nothing that is gone", async () => {
    expect(await fingerprint({ name: "tree", path: join(path, "gone") })).to.equal(null);
  });
});
