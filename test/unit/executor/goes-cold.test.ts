import { expect } from "chai";
import { goesCold } from "../../../executor/migration/goes-cold.js";
import { type FindingCode, finding } from "../../../platform/findings.js";

const found = (...codes: FindingCode[]) => codes.map((code) => finding(code, "here"));

describe("A cold move", () => {
  it("is made when it is asked for as the mode, with its owner's leave", () => {
    expect(goesCold({ mode: "cold", allowsCold: true }, [])).to.equal(true);
    expect(goesCold({ mode: "cold", allowsCold: false }, [])).to.equal(false);
  });

  it("is the way out when only CRIU stands in the way, and the owner allows it", () => {
    expect(goesCold({ mode: "auto", allowsCold: true }, found("tty", "inotify"))).to.equal(true);
    expect(goesCold({ mode: "auto", allowsCold: false }, found("tty", "inotify"))).to.equal(false);
  });

  it("is none where nothing stands in the way, or something else does too", () => {
    expect(goesCold({ mode: "auto", allowsCold: true }, [])).to.equal(false);
    expect(goesCold({ mode: "auto", allowsCold: true }, found("tty", "volume-shared"))).to.equal(false);
  });
});
