import { link, mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { below, bytePathOf, bytesOf } from "../../../executor/byte-paths.js";
import { changedSince, unmoved } from "../../../executor/migration/changed-files.js";
import { nowSeconds } from "../../../platform/clock.js";
import { waitFor } from "../../support/wait-for.js";

describe("Files of a tree that were changed while it was sent", () => {
  let path: string;
  const tree = () => ({ name: "volume-0", path, mountedAt: "/data" });
  const changed = async (since: number) => [...(await changedSince(tree(), since)).keys()].map((name) => bytesOf(name).toString()).sort();

  /** A moment by which what was done before can be told from what comes after. */
  async function later(): Promise<number> {
    await waitFor("what was done to be past", async () => (await changed(nowSeconds())).length === 0);
    return nowSeconds();
  }

  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), "evenkeel-changed-"));
    await mkdir(join(path, "deep"));
    for (const name of ["a", "two\nlines", "deep/b", "deep/über 名前 "]) await writeFile(join(path, name), "1");
  });
  afterEach(() => rm(path, { recursive: true }));

  it("are those written since, wherever they are and whatever they are called, under all of their names", async () => {
    const since = await later();
    for (const name of ["two\nlines", "deep/über 名前 "]) await writeFile(join(path, name), "2");
    await link(join(path, "two\nlines"), join(path, "deep/other"));
    await writeFile(join(path, "deep/new"), "");
    expect(await changed(since)).to.deep.equal(["deep/new", "deep/other", "deep/über 名前 ", "two\nlines"]);
  });

  it("are among them though their names are no text", async () => {
    const name = `${bytePathOf("deep/caf")}\xe9`;
    await writeFile(below(path, name), "1");
    const since = await later();
    await writeFile(below(path, name), "2");
    const files = await changedSince(tree(), since);
    expect([...files.keys()]).to.deep.equal([name]);
    expect(await unmoved(tree(), files)).to.deep.equal([name]);
  });

  it("are among them though their time was set back", async () => {
    const since = await later();
    await writeFile(join(path, "a"), "2");
    await utimes(join(path, "a"), 1, 1);
    expect(await changed(since)).to.deep.equal(["a"]);
  });

  it("are none of the engine's logs", async () => {
    const since = await later();
    await writeFile(join(path, "a"), "2");
    expect((await changedSince({ name: "log", path, file: "a" }, since)).size).to.equal(0);
  });

  it("are in question only as long as their time does not move, for then it tells", async () => {
    const since = await later();
    for (const name of ["a", "deep/b", "deep/new"]) await writeFile(join(path, name), "2");
    const files = await changedSince(tree(), since);
    expect((await unmoved(tree(), files)).sort()).to.deep.equal(["a", "deep/b", "deep/new"]);
    await rm(join(path, "a"));
    await utimes(join(path, "deep/b"), 7, 7);
    expect(await unmoved(tree(), files)).to.deep.equal(["deep/new"]);
  });

  it("cannot be told of a tree that is gone", async () => {
    const gone = { ...tree(), path: join(path, "gone") };
    const error = await changedSince(gone, 0).then(
      () => null,
      (thrown: { code: string }) => thrown.code,
    );
    expect(error).to.equal("SYNC_FAILED");
  });
});
