import { expect } from "chai";
import { lookAtTemperatures } from "../../../../collector/health/temperature.js";
import { withFileTree } from "./file-tree.js";

const NOW = 1_000_000;

describe("heat", () => {
  const CPU = "sys/class/hwmon/hwmon1";
  const sensors = { [`${CPU}/name`]: "coretemp", [`${CPU}/temp1_label`]: "Package id 0", [`${CPU}/temp1_crit`]: 100_000 };

  it("is a sensor at the bound that its own chip calls critical", () =>
    withFileTree({ ...sensors, [`${CPU}/temp1_input`]: 99_000 }, async (tree) => {
      expect(await lookAtTemperatures(tree.probe(), NOW)).to.deep.equal({ signs: [], unread: null });
      await tree.write(`${CPU}/temp1_input`, 100_000);
      expect((await lookAtTemperatures(tree.probe(), NOW)).signs).to.deep.equal(["coretemp Package id 0: 100 °C, critical from 100 °C"]);
    }));

  it("is unknown without a sensor, without a bound, and where the bound is none", async () => {
    const unknown = async (files: Record<string, string | number>) =>
      withFileTree(files, async (tree) => {
        expect((await lookAtTemperatures(tree.probe(), NOW)).unread).to.contain("no temperature sensor");
      });
    await unknown({});
    await unknown({ [`${CPU}/temp1_input`]: 120_000 });
    await unknown({ [`${CPU}/temp1_input`]: 90_000, [`${CPU}/temp1_crit`]: 0 });
    await unknown({ [`${CPU}/temp1_input`]: 90_000, [`${CPU}/temp1_crit`]: -273_150 });
    await unknown({ [`${CPU}/temp1_input`]: "", [`${CPU}/temp1_crit`]: 100_000 });
  });
});
