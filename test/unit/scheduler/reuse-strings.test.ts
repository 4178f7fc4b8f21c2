import { expect } from "chai";
import { reuseStrings } from "../../../scheduler/fleet/reuse-strings.js";
import { makeSample, type ReportedWorkload } from "../../support/reported-fleet.js";

const sampleOf = (more: Partial<ReportedWorkload>) =>
  structuredClone(makeSample({ id: "n1", workloads: [{ name: "web", labels: { "io.evenkeel.pin": "n1" }, ...more }] }, 100));
const mounted = { networks: ["lan"], volumes: ["data"], boundBy: [{ code: "volume-shared", because: "Volume data is also used by db" }] };

describe("what is the same in a node's next sample", () => {
  it("is what the last one held already, lists and labels too", () => {
    const [before, after] = [sampleOf(mounted), sampleOf(mounted)];
    reuseStrings(after, before);
    for (const field of ["networks", "volumes", "boundBy", "labels"] as const)
      expect(after.workloads[0]![field], field).to.equal(before.workloads[0]![field]);
  });

  it("is not taken for what has changed, come or gone", () => {
    const others = [
      { ...mounted, volumes: ["other"] },
      { ...mounted, boundBy: [{ code: "volume-shared", because: "Volume data is also used by cache" }] },
      { ...mounted, boundBy: [] },
      {},
    ];
    for (const other of others) {
      for (const [from, to] of [
        [mounted, other],
        [other, mounted],
      ] as const) {
        const after = sampleOf(to);
        reuseStrings(after, sampleOf(from));
        expect(after).to.deep.equal(sampleOf(to));
      }
    }
  });
});
