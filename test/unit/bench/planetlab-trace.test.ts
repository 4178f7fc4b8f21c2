import { expect } from "chai";
import { demandRatioAt, parseTrace } from "../../../bench/planetlab/trace.js";

describe("a PlanetLab trace", () => {
  it("is one percentage a line, the last of which holds", () => {
    expect([...parseTrace("10\n20\n40\n", "vm")]).to.deep.equal([0.1, 0.2, 0.4, 0.4]);
  });

  it("is read linearly between samples", () => {
    const trace = parseTrace("10\n20\n40\n", "vm");
    expect(demandRatioAt(trace, 0)).to.equal(0.1);
    expect(demandRatioAt(trace, 150)).to.be.closeTo(0.15, 1e-12);
    expect(demandRatioAt(trace, 450)).to.be.closeTo(0.3, 1e-12);
    expect(demandRatioAt(trace, 99_999)).to.equal(0.4);
  });

  it("is refused with the file and the line when it is not a percentage", () => {
    expect(() => parseTrace("10\nmany\n", "vm-7")).to.throw('vm-7, line 2: "many" is not a percentage');
    expect(() => parseTrace("10\n101\n", "vm-7")).to.throw("vm-7, line 2");
    expect(() => parseTrace("10\n\n20\n", "vm-7")).to.throw("vm-7, line 2");
    expect(() => parseTrace("10\n", "vm-7")).to.throw("at least two samples");
  });
});
