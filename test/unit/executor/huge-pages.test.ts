import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { mayFillBeside } from "../../../executor/engine/docker/huge-pages.js";

describe("Memory put in beside memory that follows", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "huge-"));
  });

  afterEach(() => rm(folder, { recursive: true }));

  const set = async (path: string, words: string) => {
    await mkdir(join(folder, path), { recursive: true });
    await writeFile(join(folder, path, "enabled"), `${words}\n`);
  };

  it("is safe where a program has to ask for huge pages, or nobody gets any", async () => {
    await set(".", "always [madvise] never");
    await set("hugepages-64kB", "always inherit madvise [never]");
    expect(await mayFillBeside(folder)).to.equal(true);
    // Only shared memory gets pages of that size.
    await mkdir(join(folder, "hugepages-8kB"));
    expect(await mayFillBeside(folder)).to.equal(true);
  });

  it("is not where everyone gets them, of whatever size", async () => {
    await set(".", "[always] madvise never");
    expect(await mayFillBeside(folder)).to.equal(false);
    await set(".", "always madvise [never]");
    await set("hugepages-64kB", "[always] inherit madvise never");
    expect(await mayFillBeside(folder)).to.equal(false);
  });

  it("is not where that cannot be read", async () => {
    expect(await mayFillBeside(folder)).to.equal(false);
  });
});
