import { expect } from "chai";
import type { Looker } from "../../../../collector/health/look.js";
import { makeMemoryErrors, parseMachineChecks } from "../../../../collector/health/memory-errors.js";
import { withFileTree } from "./file-tree.js";

const NOW = 1_000_000;

describe("memory errors", () => {
  const MC = "sys/devices/system/edac/mc";
  const look = async (looker: Looker, tree: Parameters<Parameters<typeof withFileTree>[1]>[0], at = NOW) => looker(tree.probe(), at);

  it("are told from the counters of EDAC drivers: one uncorrectable, or many corrected within an hour", () =>
    withFileTree({ [`${MC}/mc0/ue_count`]: 0, [`${MC}/mc0/ce_count`]: 5000, [`${MC}/mc0/mc_name`]: "x" }, async (tree) => {
      const looker = makeMemoryErrors();
      expect(await look(looker, tree), "what was there before").to.deep.equal({ signs: [], unread: null });
      await tree.write(`${MC}/mc0/ce_count`, 5050);
      expect((await look(looker, tree, NOW + 600)).signs).to.deep.equal([]);
      await tree.write(`${MC}/mc0/ce_count`, 5120);
      expect((await look(looker, tree, NOW + 1200)).signs).to.deep.equal(["mc0: 120 corrected memory errors within an hour"]);
      expect((await look(looker, tree, NOW + 9000)).signs, "hours later").to.deep.equal([]);
      await tree.write(`${MC}/mc0/ue_count`, 1);
      expect((await look(looker, tree, NOW + 9030)).signs).to.deep.equal(["mc0: 1 uncorrectable memory errors since boot"]);
    }));

  it("are told from machine check exceptions", () =>
    withFileTree(
      { "proc/interrupts": "           CPU0       CPU1\n MCE:          2          1   Machine check exceptions\n MCP:  9 9 polls" },
      async (tree) => {
        expect(parseMachineChecks(" NMI: 1 2")).to.equal(null);
        expect((await look(makeMemoryErrors(), tree)).signs).to.deep.equal(["3 machine check exceptions since boot"]);
      },
    ));

  it("are unknown on a machine that counts none, and a counter that cannot be read is a failure and no sign", async () => {
    await withFileTree({ "proc/interrupts": "  0:  1  timer" }, async (tree) => {
      expect((await look(makeMemoryErrors(), tree)).unread).to.contain("no EDAC driver");
    });
    await withFileTree({ [`${MC}/mc0/ue_count`]: "rubbish", [`${MC}/mc0/ce_count`]: 0 }, async (tree) => {
      const probe = tree.probe();
      expect(await makeMemoryErrors()(probe, NOW)).to.deep.equal({ signs: [], unread: null });
      expect(probe.failures.map(({ source }) => source)).to.deep.equal(["health"]);
    });
  });
});
