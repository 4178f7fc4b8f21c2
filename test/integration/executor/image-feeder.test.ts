import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { findProcess } from "../../../executor/engine/docker/find-process.js";
import { feederWords, startImageFeeder, waitForImageFeeder } from "../../../executor/pages/start-image-feeder.js";
import { stopPages } from "../../../executor/pages/start-page-proxy.js";
import { waitFor } from "../../support/wait-for.js";

/** The program itself. That it feeds a workload is shown by every move by stopcopy, and from rounds where a kernel tracks written pages: test/vm/migration/precopy.test.ts. */
describe("The feeder of memory from images", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "evenkeel-feeder-"));
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
    expect((error as unknown as { detail: string }).detail).to.match(/^the image feeder is not ready: ENOENT: .*images/);
    await waitForImageFeeder(folder);
  });

  it("ends when there will be nothing to feed", async () => {
    const feeder = startImageFeeder(folder);
    await waitFor("it to wait", async () => (await findProcess(feederWords(folder))) !== null);
    feeder.cancel();
    await waitForImageFeeder(folder);
  });

  it("waits for the last images, and is ended with its guard when they do not come", async () => {
    startImageFeeder(folder);
    await waitFor("it to wait", async () => (await findProcess(feederWords(folder))) !== null);
    await stopPages(folder);
    expect(await findProcess(feederWords(folder))).to.equal(null);
  });
});
