import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { findProgram } from "../../../platform/find-program.js";

describe("findProgram", () => {
  const path = process.env["PATH"];
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "find-program-"));
    for (const name of ["first", "second"]) mkdirSync(join(folder, name));
    process.env["PATH"] = `${folder}/first:${folder}/second`;
  });
  afterEach(() => {
    process.env["PATH"] = path;
    rmSync(folder, { recursive: true });
  });

  it("says where PATH has a program, and passes over what is none", () => {
    writeFileSync(join(folder, "first/evl-here"), "");
    writeFileSync(join(folder, "second/evl-here"), "#!/bin/sh");
    chmodSync(join(folder, "second/evl-here"), 0o755);
    expect(findProgram("evl-here")).to.equal(`${folder}/second/evl-here`);
  });

  it("leaves one that is nowhere to whoever starts it, and looks again the next time", () => {
    expect(findProgram("evl-later")).to.equal("evl-later");
    writeFileSync(join(folder, "first/evl-later"), "#!/bin/sh", { mode: 0o755 });
    expect(findProgram("evl-later")).to.equal(`${folder}/first/evl-later`);
  });
});
