import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { buildImages } from "../../../lab/images/build-images.js";
import { sha256 } from "../../../lab/workloads/known-files.js";
import { labRoot, SETUP_DEADLINE_MS } from "./run-workload.js";

describe("The lab's images", () => {
  let cache: string;

  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), "evenkeel-images-"));
  });

  afterEach(() => rm(cache, { recursive: true, force: true }));

  const checksums = async () => {
    const images = await buildImages(await labRoot(), cache);
    return Promise.all(images.map(async ({ tar }) => sha256(await readFile(tar))));
  };

  it("are the same bytes whenever they are made", async function () {
    this.timeout(SETUP_DEADLINE_MS);
    const first = await checksums();
    await rm(cache, { recursive: true });
    expect(await checksums()).to.deep.equal(first);
  });

  it("are made once, and each is reported", async function () {
    this.timeout(SETUP_DEADLINE_MS);
    const [first] = await buildImages(await labRoot(), cache);
    await writeFile(first!.tar, "made before");
    const steps: string[] = [];
    await buildImages(await labRoot(), cache, { onProgress: ({ image, done, total }) => steps.push(`${image} ${done}/${total}`) });
    expect(await readFile(first!.tar, "utf8")).to.equal("made before");
    expect(steps).to.deep.equal(["redis 0/3", "nginx 1/3", "python 2/3", " 3/3"]);
  });

  it("are not taken from a build that was killed, and its remains go", async function () {
    this.timeout(SETUP_DEADLINE_MS);
    const [image] = await buildImages(await labRoot(), cache);
    const folder = dirname(image!.tar);
    await rm(image!.tar);
    // No process has this id: the kernel's limit is 2^22.
    await mkdir(`${image!.tar}.stage-4194305`);
    await writeFile(join(`${image!.tar}.stage-4194305`, "whole.tar"), "half");
    await buildImages(await labRoot(), cache);
    expect((await readdir(folder)).sort()).to.deep.equal(["nginx.tar", "python.tar", "redis.tar"]);
    expect((await readFile(image!.tar)).length).to.be.greaterThan(1_000_000);
  });
});
