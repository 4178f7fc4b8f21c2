import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { readFlagFile } from "../../../collector/flag-file.js";
import { makeProbe } from "../../../collector/probe.js";
import { withCopyOf } from "./fixtures.js";

const inScratch = (work: (root: string) => Promise<void>) => withCopyOf("plain-host", work);

describe("a file on the node that asks for maintenance or a cordon", () => {
  it("asks for nothing when it is absent", () =>
    inScratch(async (root) => {
      expect(await readFlagFile(makeProbe(root), "maintenance", "/flag", "old")).to.equal(null);
    }));

  it("gives its text as the reason, and a reason of its own when empty", () =>
    inScratch(async (root) => {
      await writeFile(join(root, "flag"), " new disks \n");
      expect(await readFlagFile(makeProbe(root), "maintenance", "/flag", null)).to.equal("new disks");
      await writeFile(join(root, "flag"), "");
      expect(await readFlagFile(makeProbe(root), "cordon", "/flag", null)).to.equal("cordon file");
      expect(await readFlagFile(makeProbe(root), "maintenance", "/flag", null)).to.equal("maintenance file");
    }));

  it("leaves things as they were when it cannot be read", () =>
    inScratch(async (root) => {
      await mkdir(join(root, "flag"));
      for (const previous of [null, "new disks"]) {
        const probe = makeProbe(root);
        expect(await readFlagFile(probe, "maintenance", "/flag", previous)).to.equal(previous);
        expect(probe.failures).to.deep.equal([{ source: "maintenance", message: "/flag: EISDIR" }]);
      }
    }));
});
