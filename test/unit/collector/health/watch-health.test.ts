import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { makeDiskHealth } from "../../../../collector/health/disk-health.js";
import { LINGER_SECONDS, watchHealth } from "../../../../collector/health/watch-health.js";
import { makeProbe } from "../../../../collector/probe.js";
import { withCopyOf } from "../fixtures.js";

const NOW = 1_000_000;
/** Both clocks go on together, each from its own beginning. */
const clocks = (seconds: number, steppedBack = 0) => ({ at: NOW + seconds - steppedBack, seconds: 50 + seconds });
const SENSOR = "sys/class/hwmon/hwmon0";

describe("the slow probe", () => {
  let disksAsked = 0;
  beforeEach(() => {
    disksAsked = 0;
  });
  const watch = () =>
    watchHealth({
      written: async () => ["/var/lib/docker"],
      oomCounts: () => ({ limited: 0, unlimited: 0 }),
      disks: makeDiskHealth(async () => {
        disksAsked += 1;
        return [];
      }),
    });
  const heat = async (root: string, degrees: number) => {
    await mkdir(join(root, SENSOR), { recursive: true });
    await writeFile(join(root, SENSOR, "temp1_crit"), "95000\n");
    await writeFile(join(root, SENSOR, "temp1_input"), `${degrees * 1000}\n`);
  };

  it("knows nothing before its first look, and then says what it cannot look for", () =>
    withCopyOf("plain-host", async (root) => {
      const health = watch();
      expect(health.current()).to.equal(null);
      await health.look(makeProbe(root), clocks(0));
      expect(health.current()!.signs).to.deep.equal([]);
      expect(health.current()!.unread.map(({ kind }) => kind)).to.deep.equal([
        "disk-failing",
        "memory-errors",
        "overheating",
        "read-only-filesystem",
      ]);
    }));

  it("dates a sign from when it was first seen, and keeps it for a while after it was last", () =>
    withCopyOf("plain-host", async (root) => {
      const health = watch();
      await heat(root, 96);
      await health.look(makeProbe(root), clocks(0));
      await heat(root, 98);
      await health.look(makeProbe(root), clocks(30));
      expect(health.current()!.signs).to.deep.equal([
        { kind: "overheating", since: NOW, detail: "hwmon0 temp1: 98 °C, critical from 95 °C" },
      ]);
      await heat(root, 50);
      await health.look(makeProbe(root), clocks(60));
      expect(health.current()!.signs).to.have.length(1);
      await health.look(makeProbe(root), clocks(31 + LINGER_SECONDS));
      expect(health.current()!.signs).to.deep.equal([]);
    }));

  it("keeps a sign no longer, and disks unasked no longer, when the clock is set back meanwhile", () =>
    withCopyOf("plain-host", async (root) => {
      const health = watch();
      await heat(root, 96);
      await health.look(makeProbe(root), clocks(0));
      await heat(root, 50);
      await health.look(makeProbe(root), clocks(30, 86_400));
      expect(health.current()!.signs.map(({ since }) => since)).to.deep.equal([NOW]);
      await health.look(makeProbe(root), clocks(1 + LINGER_SECONDS, 86_400));
      expect(health.current()!.signs).to.deep.equal([]);
      expect(disksAsked).to.equal(2);
    }));
});
