import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { expect } from "chai";
import { packImages, unpackImages } from "../../../executor/channel/image-stream.js";

describe("the stream of images", () => {
  let from: string;
  let to: string;

  beforeEach(async () => {
    from = await mkdtemp(join(tmpdir(), "images-"));
    to = await mkdtemp(join(tmpdir(), "images-"));
    await writeFile(join(from, "pages-1.img"), randomBytes(3_000_001));
    await writeFile(join(from, "empty.img"), "");
    await writeFile(join(from, "core-1.img"), "\n{}\n\n");
  });

  afterEach(async () => {
    await rm(from, { recursive: true });
    await rm(to, { recursive: true });
  });

  it("carries every file whole, in pieces of any size", async () => {
    for (const pieceBytes of [1 << 16, 4093, 1000]) {
      const bytes = await buffer(packImages(from, () => undefined));
      await unpackImages(pieces(bytes, pieceBytes), to);
      expect((await readdir(to)).sort()).to.deep.equal((await readdir(from)).sort());
      for (const name of await readdir(from)) {
        expect((await readFile(join(to, name))).equals(await readFile(join(from, name))), name).to.equal(true);
      }
    }
  });

  it("counts what it sends", async () => {
    let sent = 0;
    await buffer(
      packImages(from, (bytes) => {
        sent += bytes;
      }),
    );
    expect(sent).to.equal(3_000_006);
  });

  it("is refused when it ends early, wherever that is", async () => {
    const bytes = await buffer(packImages(from, () => undefined));
    for (const length of [0, 10, bytes.length >> 1, bytes.length - 1]) {
      await refused(pieces(bytes.subarray(0, length), 5000), "ended early");
    }
  });

  it("is refused when it names a file outside the folder", async () => {
    for (const name of ["../x", "/etc/passwd", ".hidden", "a/b", ""]) {
      await refused(pieces(Buffer.from(`${JSON.stringify({ name, size: 0 })}\n{"files":1}\n`), 5000), "names");
    }
  });

  async function refused(stream: Readable, words: string): Promise<void> {
    const error = await unpackImages(stream, to).then(
      () => null,
      (thrown: Error) => thrown,
    );
    expect(error?.message ?? "accepted").to.include(words);
  }

  function pieces(bytes: Buffer, size: number): Readable {
    return Readable.from(
      (function* () {
        for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
      })(),
    );
  }
});
