import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
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
      const bytes = await buffer(packImages(from));
      await unpackImages(pieces(bytes, pieceBytes), to);
      expect((await readdir(to)).sort()).to.deep.equal((await readdir(from)).sort());
      for (const name of await readdir(from)) {
        expect((await readFile(join(to, name))).equals(await readFile(join(from, name))), name).to.equal(true);
      }
    }
  });

  it("tells when all but the pages is there", async () => {
    await writeFile(join(from, "a-large.img"), randomBytes(200_000));
    await writeFile(join(from, "pages-2.img"), "few");
    const seen: string[][] = [];
    await unpackImages(pieces(await buffer(packImages(from)), 1 << 14), to, async () => void seen.push(readdirSync(to).sort()));
    expect(seen).to.deep.equal([["a-large.img", "core-1.img"]]);
    expect(readFileSync(join(to, "a-large.img")).equals(readFileSync(join(from, "a-large.img")))).to.equal(true);
  });

  it("counts what it sends", async () => {
    let sent = 0;
    await buffer(
      packImages(from, {
        onBytes: (bytes) => {
          sent += bytes;
        },
      }),
    );
    expect(sent).to.equal(3_000_006);
  });

  it("is refused when it ends early, wherever that is", async () => {
    const bytes = await buffer(packImages(from));
    for (const length of [0, 10, bytes.length >> 1, bytes.length - 1]) {
      await refused(pieces(bytes.subarray(0, length), 5000), "ended early");
    }
  });

  it("is refused when it names a file outside the folder", async () => {
    for (const name of ["../x", "/etc/passwd", ".hidden", "a/b", ""]) {
      await refused(pieces(Buffer.from(`${JSON.stringify({ files: { [name]: 0 } })}\n`), 5000), "names");
      await refused(pieces(Buffer.from(`${JSON.stringify({ name, at: 0, bytes: 1, crc: 0 })}\nx`), 5000), "names");
    }
  });

  it("is refused with a code of its own when a byte of a file has changed on the way", async () => {
    const bytes = await buffer(packImages(from));
    const start = bytes.indexOf(await readFile(join(from, "pages-1.img")).then((pages) => pages.subarray(0, 64)));
    for (const at of [start, start + 100_000, start + (1 << 20) - 1]) {
      const spoilt = Buffer.from(bytes);
      spoilt[at] = spoilt[at]! ^ 1;
      await refused(pieces(spoilt, 1 << 16), "is not what was sent");
    }
  });

  it("takes pages along while they are still being written, and the rest when the folder is whole", async () => {
    const pages = randomBytes(5 << 20);
    const path = join(from, "pages-2.img");
    await writeFile(path, pages.subarray(0, 2 << 20));
    let finish = () => {};
    const whole = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let ahead = 0;
    const onBytes = (bytes: number) => {
      ahead += bytes;
      // Both growing files have been sent as far as they go, and nothing else has.
      if (ahead === (2 << 20) + (2 << 20)) {
        void appendFile(path, pages.subarray(2 << 20))
          .then(() => writeFile(join(from, "core-1.img"), "anew"))
          .then(finish);
      }
    };
    await unpackImages(packImages(from, { whole, onBytes }), to);
    expect((await readFile(join(to, "pages-2.img"))).equals(pages)).to.equal(true);
    expect((await readdir(to)).sort()).to.deep.equal((await readdir(from)).sort());
    expect(await readFile(join(to, "core-1.img"), "utf8")).to.equal("anew");
  });

  it("breaks when what is being written comes to nothing", async () => {
    await refused(packImages(from, { whole: Promise.reject(new Error("the dump failed")) }), "the dump failed");
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
