import { readFileSync } from "node:fs";
import { expect } from "chai";
import { projectPath } from "../../../platform/paths.js";
import { projectFiles } from "../../support/project-files.js";

describe("The systemd units", () => {
  const units = projectFiles().filter((path) => /^[a-z]+\/systemd\/.*\.service$/.test(path));
  const section = (text: string, name: string) => text.split(/^(?=\[)/m).find((part) => part.startsWith(`[${name}]`)) ?? "";

  it("are one for each part", () => {
    expect(units.map((path) => path.split("/")[0]).sort()).to.deep.equal(["collector", "executor", "scheduler"]);
  });

  for (const unit of units) {
    it(`${unit}: is started again however often and however fast it fails`, () => {
      const text = readFileSync(projectPath(unit), "utf8");
      expect(section(text, "Service"))
        .to.match(/^Restart=always$/m)
        .and.to.match(/^RestartSec=[12]$/m);
      // In another section systemd would ignore it.
      expect(section(text, "Unit")).to.match(/^StartLimitIntervalSec=0$/m);
    });
  }
});
