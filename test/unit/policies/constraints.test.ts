import { expect } from "chai";
import { parseConstraints } from "../../../policies/constraints.js";

describe("reading a container's labels", () => {
  it("allows everything when there are none", () => {
    expect(parseConstraints({})).to.deep.equal({ mode: "auto", antiAffinityGroup: null, pinnedTo: [] });
  });
  it("reads mode, group and a list of nodes", () => {
    const labels = { "io.evenkeel.mode": "cold", "io.evenkeel.anti-affinity": "db", "io.evenkeel.pin": "n2, n1,,n2" };
    expect(parseConstraints(labels)).to.deep.equal({ mode: "cold", antiAffinityGroup: "db", pinnedTo: ["n2", "n1"], mayGoCold: true });
  });
  it("reads that a workload may be stopped, as its mode or as the way out", () => {
    expect(parseConstraints({ "io.evenkeel.fallback": "Cold" })).to.include({ mode: "auto", mayGoCold: true });
    expect(parseConstraints({ "io.evenkeel.fallback": "warm" })).to.not.have.property("mayGoCold");
  });
  it("reads that a move may close connections only where the executors read it so", () => {
    expect(parseConstraints({ "io.evenkeel.connections": "close" })).to.include({ closesConnections: true });
    for (const label of ["Close", " close", "keep"])
      expect(parseConstraints({ "io.evenkeel.connections": label })).to.not.have.property("closesConnections");
  });
  it("forgives case and blanks in a mode", () => {
    expect(parseConstraints({ "io.evenkeel.mode": " StopCopy " }).mode).to.equal("stopcopy");
  });
  it("keeps hands off a workload whose mode it cannot read", () => {
    for (const mode of ["nver", "", "false", "live"]) expect(parseConstraints({ "io.evenkeel.mode": mode }).mode).to.equal("never");
  });
  it("keeps together what moves as one, whatever else is asked for", () => {
    const labels = { "io.evenkeel.group": " shop ", "io.evenkeel.affinity": "other" };
    expect(parseConstraints(labels)).to.include({ group: "shop", affinityGroup: "shop" });
    expect(parseConstraints({ "io.evenkeel.affinity": "other" })).to.not.have.property("group");
  });
  it("takes an empty group for none", () => {
    expect(parseConstraints({ "io.evenkeel.anti-affinity": " " }).antiAffinityGroup).to.equal(null);
  });
});
