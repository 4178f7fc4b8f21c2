import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { findProcess } from "../../../executor/engine/docker/find-process.js";
import { feederWords, startImageFeeder, waitForImageFeeder } from "../../../executor/pages/start-image-feeder.js";
import { stopPages } from "../../../executor/pages/start-page-proxy.js";
import { waitFor } from "../../support/wait-for.js";

/** The program itself. That it feeds a workload is shown where a kernel tracks written pages: test/vm/migration/precopy.test.ts. */
describe("The feeder of images that came in rounds", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "evenkeel-feeder-"));
    await mkdir(join(folder, "images"));
  });

  afterEach(async () => {
    await stopPages(folder);
    await rm(folder, { recursive: true, force: true });
  });

  it("says what is wrong with the images, and ends", async () => {
    const error = await startImageFeeder(folder)
      .begin()
      .then(
        () => null,
        (thrown: Error) => thrown,
      );
    expect(error).to.include({ code: "RESTORE_FAILED" });
    expect((error as unknown as { detail: string }).detail).to.match(/^the image feeder is not ready: ENOENT: .*rounds\/1/);
    await waitForImageFeeder(folder);
  });

  it("waits for the last images, and is ended with its guard when they do not come", async () => {
    startImageFeeder(folder);
    await waitFor("it to wait", async () => (await findProcess(feederWords(folder))) !== null);
    await stopPages(folder);
    expect(await findProcess(feederWords(folder))).to.equal(null);
  });
});
