import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { fileFindings } from "../../../../executor/preflight/file-findings.js";
import { readOpenFiles } from "../../../../executor/preflight/open-files.js";

const DATABASE = Buffer.concat([Buffer.from("SQLite format 3\0"), Buffer.alloc(4080)]);

describe("A file that its program knows by what no copy shares", () => {
  const folder = mkdtempSync(join(tmpdir(), "evenkeel-identity-"));
  after(() => rmSync(folder, { recursive: true }));

  /** What is found while this process has it open. */
  async function found(name: string, content: Buffer | string, flags: string): Promise<string[]> {
    const path = join(folder, name);
    writeFileSync(path, content);
    const descriptor = openSync(path, flags);
    try {
      const files = (await readOpenFiles([process.pid])).filter(({ target }) => target === path);
      expect(files).to.have.length(1);
      return (await fileFindings(files)).map(({ code }) => code);
    } finally {
      closeSync(descriptor);
    }
  }

  it("is an SQLite database that is open for writing", async () => {
    expect(await found("shop.db", DATABASE, "r+")).to.deep.equal(["file-identity"]);
    expect(await found("any name", DATABASE, "a+")).to.deep.equal(["file-identity"]);
    expect(await found("shop.db", DATABASE, "r")).to.deep.equal([]);
  });

  it("is the lock of a Lucene index", async () => {
    expect(await found("write.lock", "", "r+")).to.deep.equal(["file-identity"]);
    expect(await found("write.lock", "of another program", "r+")).to.deep.equal([]);
  });

  it("is no other", async () => {
    expect(await found("log", "SQLite format 2\0 and more", "r+")).to.deep.equal([]);
    expect(await found("empty", "", "r+")).to.deep.equal([]);
  });
});
