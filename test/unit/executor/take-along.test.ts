import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { PAGE_BYTES, readPagemaps } from "../../../executor/pages/pagemap-image.js";
import { readPresent } from "../../../executor/pages/present-pages.js";
import { copySmall, markSmall, takeAlong } from "../../../executor/pages/take-along.js";
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

  describe("when it goes ahead of the images", () => {
    const old = Buffer.concat([Buffer.alloc(PAGE_BYTES, "a"), Buffer.alloc(2 * PAGE_BYTES, "b")]);
    let folder: string;
    let held: { start: number; pages: number };

    beforeEach(async () => {
      folder = join(images, "small");
      // Of a program that has a stack worth the name.
      child.kill("SIGKILL");
      child = spawn(process.execPath, ["-e", "console.log(1); setInterval(() => {}, 1e6)"]);
      await once(child.stdout!, "data");
      await delay(200);
      const maps = await readFile(`/proc/${child.pid}/maps`, "utf8");
      const [low, high] = /^([0-9a-f]+)-([0-9a-f]+) .*\[stack\]$/m
        .exec(maps)!
        .slice(1)
        .map((word) => Number.parseInt(word, 16)) as [number, number];
      stack = { start: low, pages: (high - low) / PAGE_BYTES };
      const areas = [{ start: stack.start, end: stack.start + stack.pages * PAGE_BYTES }];
      // Not all of what is kept for a stack is there.
      const pieces = await readPresent(child.pid!, areas);
      const { start, end } = pieces.reduce((most, piece) => (piece.end - piece.start > most.end - most.start ? piece : most));
      held = { start, pages: (end - start) / PAGE_BYTES };
      expect(held.pages).to.be.greaterThan(1);
      const all = pieces.reduce((sum, piece) => sum + piece.end - piece.start, 0);
      expect(await copySmall(folder, [{ pid: 7, here: child.pid!, areas }])).to.equal(all);
      await writeFile(join(images, "pages-3.img"), old);
    });

    const images7 = (...entries: [number, number, number][]) =>
      writeFile(
        join(images, "pagemap-7.img"),
        pagemap(3, [[0x400000, 1, PRESENT], ...entries, [stack.start + stack.pages * PAGE_BYTES, 2, PRESENT]]),
      );

    it("is marked before the pages are there, and put among them afterwards: what CRIU has found too", async () => {
      const rest = held.start + PAGE_BYTES;
      await images7([0x10000000, 3, LEFT], [rest, held.pages - 1, LEFT]);
      const put = await markSmall(images, folder);
      expect((await readPagemaps(images))[0]!.entries.map(({ where }) => where)).to.deep.equal(["present", "left", "present", "present"]);
      expect(await readFile(join(images, "pages-3.img"))).to.deep.equal(old);
      put();
      const expected = Buffer.concat([old.subarray(0, PAGE_BYTES), await memory(rest, held.pages - 1), old.subarray(PAGE_BYTES)]);
      expect((await readFile(join(images, "pages-3.img"))).equals(expected)).to.equal(true);
    });

    it("is left where CRIU's piece is larger, or comes with the images after all", async () => {
      const larger = [held.start - PAGE_BYTES, held.pages + 1] as const;
      for (const kind of [LEFT, PRESENT]) {
        await images7([...larger, kind]);
        const before = await readFile(join(images, "pagemap-7.img"));
        (await markSmall(images, folder))();
        expect(await readFile(join(images, "pagemap-7.img"))).to.deep.equal(before);
        expect(await readFile(join(images, "pages-3.img"))).to.deep.equal(old);
      }
    });

    it("is left where much of the process crosses anyway, and would have to be written anew", async () => {
      await images7([0x500000, 16_385, PRESENT], [held.start, held.pages, LEFT]);
      const put = await markSmall(images, folder);
      expect((await readPagemaps(images))[0]!.entries.map(({ where }) => where)).to.include("left");
      put();
      expect(await readFile(join(images, "pages-3.img"))).to.deep.equal(old);
    });

    it("is refused when it is cut short, and nothing where none came", async () => {
      await images7([held.start, held.pages, LEFT]);
      const whole = await readFile(join(folder, "small-7.img"));
      await writeFile(join(folder, "small-7.img"), whole.subarray(0, -1));
      const error = await markSmall(images, folder).catch(({ message }) => message);
      expect(error).to.match(/a copy of small memory has \d+ bytes instead of \d+/);
      (await markSmall(images, join(images, "none")))();
      expect(await readFile(join(images, "pages-3.img"))).to.deep.equal(old);
    });
  });
});
