import { expect } from "chai";
import { maintenanceRequests, mergeRequests, rememberFirstSeen } from "../../../scheduler/fleet/maintenance.js";
import type { NodeReading } from "../../../scheduler/fleet/read-nodes.js";
import { makeSample } from "../../support/reported-fleet.js";

const reading = (flag: string | null, maintenanceFile: string | null): NodeReading => ({
  id: "n1",
  lastSeenAt: 100,
  sample: makeSample({ id: "n1", workloads: [], maintenanceFile }, 100),
  trouble: null,
  identity: null,
  history: [],
  flag,
  cordon: null,
});
const requests = (flag: string | null, file: string | null, now = 100, firstSeen = rememberFirstSeen()) =>
  maintenanceRequests(reading(flag, file), null, firstSeen, now);

describe("requests for maintenance", () => {
  it("mean the same as a flag and as a file", () => {
    expect(requests("disk", null)).to.deep.equal([{ source: "flag", since: 100, deadline: null, reason: "disk" }]);
    expect(requests(null, "disk")).to.deep.equal([{ source: "file", since: 100, deadline: null, reason: "disk" }]);
  });

  for (const text of ["off", "0", "false", "no", " OFF "]) {
    it(`are not made by "${text}"`, () => {
      expect(requests(text, text)).to.deep.equal([]);
    });
  }

  it("are made by an empty file but not by an empty flag", () => {
    expect(requests("", "").map(({ source }) => source)).to.deep.equal(["file"]);
  });

  it("keep the time at which a flag without a date was first seen", () => {
    const firstSeen = rememberFirstSeen();
    requests("disk", null, 100, firstSeen);
    expect(requests("disk", null, 160, firstSeen)[0]?.since).to.equal(100);
    expect(requests("fan", null, 160, firstSeen)[0]?.since).to.equal(160);
  });

  it("merge into the first beginning, the earliest deadline and every reason once", () => {
    const flag = JSON.stringify({ since: 50, deadline: 900, reason: "disk" });
    expect(mergeRequests(requests(flag, "disk"))).to.deep.equal({ since: 50, askedAt: 100, deadline: 900, reason: "disk" });
    expect(mergeRequests(requests(flag, "fan"))?.reason).to.equal("disk; fan");
    expect(mergeRequests([])).to.equal(null);
  });

  it("tell when they were last asked for, again or by somebody else", () => {
    const again = JSON.stringify({ since: 50, askedAt: 80, reason: "disk" });
    expect(mergeRequests(requests(again, null))).to.include({ since: 50, askedAt: 80 });
    expect(mergeRequests(requests(again, "fan"))).to.include({ since: 50, askedAt: 100 });
  });
});
