import { expect } from "chai";
import { pino } from "pino";
import { makeAnnouncer } from "../../../collector/announcer.js";
import type { NodeIdentity } from "../../../collector/protocol.js";
import { makeSample } from "../../support/reported-fleet.js";

const SAMPLE = makeSample({ id: "n1", workloads: [] }, 100);

describe("announcing who a node is", () => {
  const announced: (readonly string[] | null | undefined)[] = [];
  const make = () => {
    announced.length = 0;
    return makeAnnouncer({
      intervalSeconds: 3600,
      log: pino({ level: "silent" }),
      announce: ({ networks }) => announced.push(networks),
      read: async ({ cpuCapacityCores, memoryCapacityBytes }, networks) =>
        ({ cpuCapacityCores, memoryCapacityBytes, engine: { name: "docker", version: "28" }, networks }) as NodeIdentity,
    });
  };

  it("is done again when its networks differ, and only then", async () => {
    const announcer = make();
    for (const networks of [["bridge"], ["bridge"], ["bridge", "lan"], ["bridge", "lan"], ["bridge"]]) {
      announcer.see(SAMPLE, networks);
      await announcer.close();
    }
    expect(announced).to.deep.equal([["bridge"], ["bridge", "lan"], ["bridge"]]);
  });

  it("keeps the networks that were known when the engine does not tell for a while, and tells of none while it never has", async () => {
    const announcer = make();
    announcer.see(SAMPLE, null);
    await announcer.close();
    announcer.see(SAMPLE, ["lan"]);
    await announcer.close();
    announcer.see(SAMPLE, null);
    await announcer.close();
    announcer.see({ ...SAMPLE, cpuCapacityCores: 8 }, null);
    await announcer.close();
    expect(announced).to.deep.equal([null, ["lan"], ["lan"]]);
  });
});
