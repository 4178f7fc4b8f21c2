import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { PAGE_BYTES, readPagemaps } from "../../../executor/pages/pagemap-image.js";
import { takeAlong } from "../../../executor/pages/take-along.js";
import { LEFT, PRESENT, pagemap } from "../../support/pagemap-bytes.js";
import { waitFor } from "../../support/wait-for.js";

describe("What is taken along of a memory that stays behind", () => {
  let images: string;
  let child: ChildProcess;
  let stack: { start: number; pages: number };

  beforeEach(async () => {
    images = await mkdtemp(join(tmpdir(), "along-"));
    child = spawn("sleep", ["600"]);
    stack = await waitFor("the stack of a process", async () => {
      const maps = await readFile(`/proc/${child.pid}/maps`, "utf8");
      const found = /^([0-9a-f]+)-([0-9a-f]+) .*\[stack\]$/m.exec(maps);
      if (found === null || !maps.includes("sleep")) return null;
      const [start, end] = [Number.parseInt(found[1]!, 16), Number.parseInt(found[2]!, 16)];
      return { start, pages: (end - start) / PAGE_BYTES };
    });
  });

  afterEach(async () => {
    child.kill("SIGKILL");
    await once(child, "exit");
    await rm(images, { recursive: true });
  });

  async function memory(start: number, pages: number): Promise<Buffer> {
    const handle = await open(`/proc/${child.pid}/mem`);
    const buffer = Buffer.alloc(pages * PAGE_BYTES);
    await handle.read(buffer, 0, buffer.length, start);
    await handle.close();
    return buffer;
  }

  it("are the small pieces, in their place among the pages that were there already", async () => {
    const old = Buffer.concat([Buffer.alloc(PAGE_BYTES, "a"), Buffer.alloc(2 * PAGE_BYTES, "b")]);
    await writeFile(join(images, "pages-3.img"), old);
    const large = [
      [0x10000000, 1024, LEFT],
      [0x10000000 + 1024 * PAGE_BYTES, 1, LEFT],
    ] as const;
    await writeFile(
      join(images, "pagemap-7.img"),
      pagemap(3, [
        [0x400000, 1, PRESENT],
        ...large,
        [stack.start, stack.pages, LEFT],
        [stack.start + stack.pages * PAGE_BYTES, 2, PRESENT],
      ]),
    );
    expect(await takeAlong(images, { 7: child.pid! })).to.equal(stack.pages * PAGE_BYTES);
    const expected = Buffer.concat([old.subarray(0, PAGE_BYTES), await memory(stack.start, stack.pages), old.subarray(PAGE_BYTES)]);
    expect((await readFile(join(images, "pages-3.img"))).equals(expected)).to.equal(true);
    const [map] = await readPagemaps(images);
    expect(map!.entries.map(({ where }) => where)).to.deep.equal(["present", "left", "left", "present", "present"]);
  });

  it("is nothing where nothing small was left", async () => {
    const image = pagemap(1, [[0x10000000, 2000, LEFT]]);
    await writeFile(join(images, "pagemap-1.img"), image);
    expect(await takeAlong(images, { 1: child.pid! })).to.equal(0);
    expect((await readFile(join(images, "pagemap-1.img"))).equals(image)).to.equal(true);
  });

  it("fails where a piece cannot be read, instead of giving zeros", async () => {
    await writeFile(join(images, "pagemap-1.img"), pagemap(1, [[0x1000, 1, LEFT]]));
    await writeFile(join(images, "pages-1.img"), "");
    const error = await takeAlong(images, { 1: child.pid! }).then(
      () => null,
      (thrown: Error) => thrown,
    );
    expect(error).to.include({ code: "CHECKPOINT_FAILED" });
  });
});
