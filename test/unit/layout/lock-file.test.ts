import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { execa } from "execa";
import { projectPath } from "../../../platform/paths.js";

describe("package-lock.json", () => {
  it("is whole, so that `npm ci` of the installation and of the scheduler's image accepts it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "evenkeel-lock-"));
    try {
      for (const name of ["package.json", "package-lock.json"]) await cp(projectPath(name), join(folder, name));
      const { exitCode, stderr } = await execa("npm", ["ci", "--dry-run", "--offline", "--ignore-scripts", "--no-audit", "--no-fund"], {
        cwd: folder,
        reject: false,
      });
      expect(exitCode, stderr).to.equal(0);
    } finally {
      await rm(folder, { recursive: true });
    }
  }).timeout(30_000);
});
