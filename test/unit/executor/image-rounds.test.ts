import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import {
  forgetPages,
  linkFinal,
  linkRound,
  makeRoundFolder,
  parentOfFinal,
  parentOfRound,
  roundFolder,
} from "../../../executor/image-rounds.js";

describe("The folders of pre-copy rounds", () => {
  let images: string;

  beforeEach(async () => {
    images = await mkdtemp(join(tmpdir(), "evenkeel-rounds-"));
  });

  afterEach(async () => {
    await rm(images, { recursive: true, force: true });
  });

  it("lead from the final images through every round to the first", async () => {
    for (const round of [1, 2, 3]) {
      await writeFile(join(await makeRoundFolder(images, round), "inventory.img"), `round ${round}`);
      await linkRound(images, round);
    }
    await linkFinal(images);
    const read = (path: string) => readFile(join(images, path, "inventory.img"), "utf8");
    expect(await read("parent")).to.equal("round 3");
    expect(await read("parent/parent/parent")).to.equal("round 1");
    expect(await readdir(roundFolder(images, 1))).to.deep.equal(["inventory.img"]);
  });

  it("are named to CRIU by paths that do not leave the images", () => {
    expect([parentOfRound(1), parentOfRound(2), parentOfFinal(0), parentOfFinal(2)]).to.deep.equal([null, "../1", null, "rounds/2"]);
  });

  it("are not linked where no round was made", async () => {
    await linkFinal(images);
    expect(await readdir(images)).to.deep.equal([]);
  });

  it("may be received again, final images too", async () => {
    await writeFile(join(await makeRoundFolder(images, 1), "pages-1.img"), "half of a broken try");
    expect(await readdir(await makeRoundFolder(images, 1))).to.deep.equal([]);
    await linkFinal(images);
    await linkFinal(images);
    expect(await readdir(images)).to.have.members(["parent", "rounds"]);
  });

  it("give the memory of their pages back and keep what tells which pages they had", async () => {
    const folder = await makeRoundFolder(images, 1);
    await writeFile(join(folder, "pages-1.img"), "pages");
    await writeFile(join(folder, "pagemap-1.img"), "map");
    await forgetPages(images, 1);
    expect(await readFile(join(folder, "pages-1.img"), "utf8")).to.equal("");
    expect(await readFile(join(folder, "pagemap-1.img"), "utf8")).to.equal("map");
  });
});
