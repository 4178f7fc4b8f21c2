import { expect } from "chai";
import { cordonRequests, mergeCordons } from "../../../scheduler/fleet/cordons.js";
import { rememberFirstSeen } from "../../../scheduler/fleet/maintenance.js";
import { makeSample } from "../../support/reported-fleet.js";

const requests = (cordon: string | null, cordonFile: string | null, now = 100, firstSeen = rememberFirstSeen()) => {
  const sample = { ...makeSample({ id: "n1", workloads: [] }, 100), cordonFile };
  return cordonRequests(
    { id: "n1", lastSeenAt: 100, sample, trouble: null, identity: null, history: [], flag: null, cordon },
    firstSeen,
    now,
  );
};

describe("a cordon", () => {
  it("means the same as a field in Redis and as a file", () => {
    expect(requests("noise", null)).to.deep.equal([{ source: "flag", since: 100, reason: "noise" }]);
    expect(requests(null, "noise")).to.deep.equal([{ source: "file", since: 100, reason: "noise" }]);
    expect(requests(null, "").map(({ source }) => source)).to.deep.equal(["file"]);
  });

  it("is written like a maintenance flag: JSON may date it, and a word that denies it is none", () => {
    expect(requests(JSON.stringify({ since: 50, reason: "noise" }), null)).to.deep.equal([{ source: "flag", since: 50, reason: "noise" }]);
    for (const text of ["off", "0", "false", "no", ""]) expect(requests(text, null)).to.deep.equal([]);
  });

  it("keeps the time at which it was first seen, and is not taken for a maintenance flag of the same words", () => {
    const firstSeen = rememberFirstSeen();
    firstSeen.at("n1 flag noise", 10);
    requests("noise", null, 100, firstSeen);
    expect(requests("noise", null, 160, firstSeen)[0]?.since).to.equal(100);
  });

  it("is told to the policies once, with every reason", () => {
    expect(mergeCordons(requests("noise", "smell"))).to.deep.equal({ cordoned: true, cordonedBecause: "noise; smell" });
    expect(mergeCordons([])).to.deep.equal({});
  });
});
