import { expect } from "chai";
import { chooseMode, type ModeFacts } from "../../../policies/modes/choose-mode.js";

const GIBIBYTE = 2 ** 30;

function facts(override: Partial<ModeFacts> = {}): ModeFacts {
  return {
    memoryBytes: GIBIBYTE,
    fileBytes: 0,
    frozenFileBytes: 0,
    dirtyBytesPerSecond: 10e6,
    bytesPerSecond: 200e6,
    fixedSeconds: 0.4,
    stopSeconds: 0,
    whyNot: {},
    ...override,
  };
}

describe("The choice of a mode", () => {
  it("is the mode that was asked for, whatever it takes", () => {
    for (const mode of ["stopcopy", "precopy", "postcopy", "cold"] as const) expect(chooseMode(mode, facts()).mode).to.equal(mode);
  });

  it("is pre-copy where both ends can, since a slow writer leaves little for the freeze", () => {
    const choice = chooseMode("auto", facts());
    expect(choice.mode).to.equal("precopy");
    expect(choice.blackoutSeconds).to.be.lessThan(0.6);
    expect(choice.because).to.match(/^auto took precopy: 0\.\d\d s of blackout expected; stopcopy 5\.77 s\.$/);
  });

  it("is not a mode that the nodes cannot do, and says why", () => {
    const choice = chooseMode("auto", facts({ whyNot: { precopy: "node1's kernel does not track changed memory" } }));
    expect(choice.mode).to.equal("stopcopy");
    expect(choice.because).to.contain("not precopy: node1's kernel does not track changed memory");
  });

  it("is never post-copy unless the label allows it", () => {
    const only = facts({ whyNot: { precopy: "no" } });
    expect(chooseMode("auto", only).forecasts.map(({ mode }) => mode)).to.deep.equal(["precopy", "stopcopy"]);
    expect(chooseMode("auto+postcopy", only)).to.include({ mode: "postcopy", frozenBytes: 0, blackoutSeconds: 0.4 });
  });

  it("is the mode that risks less when they take as long", () => {
    expect(chooseMode("auto+postcopy", facts({ memoryBytes: 4e6, dirtyBytesPerSecond: null })).mode).to.equal("stopcopy");
    expect(chooseMode("auto+postcopy", facts({ dirtyBytesPerSecond: 0 })).mode).to.equal("precopy");
  });

  it("is no pre-copy for a workload that writes faster than the link, and leaves it to the rounds where nobody knows", () => {
    expect(chooseMode("auto", facts({ dirtyBytesPerSecond: 300e6 })).mode).to.equal("stopcopy");
    const guessed = chooseMode("auto", facts({ dirtyBytesPerSecond: null }));
    expect(guessed).to.include({ mode: "precopy", frozenBytes: 20e6 });
    expect(guessed.because).to.match(/How fast it writes its memory no move of it has shown yet\.$/);
    expect(chooseMode("stopcopy", facts({ dirtyBytesPerSecond: null })).because).to.match(/expected\.$/);
  });

  it("counts what may be sent while the workload runs: a capped pre-copy of one that writes faster gains nothing", () => {
    expect(chooseMode("auto", facts({ dirtyBytesPerSecond: 30e6 })).mode).to.equal("precopy");
    const capped = facts({ dirtyBytesPerSecond: 30e6, aheadBytesPerSecond: 25e6 });
    expect(chooseMode("auto", capped)).to.include({ mode: "stopcopy", blackoutSeconds: 0.4 + GIBIBYTE / 200e6 });
    expect(chooseMode("auto", { ...capped, aheadBytesPerSecond: 1e9 }).mode).to.equal("precopy");
  });

  it("expects the files that are written meanwhile in every freeze, and of a cold move the stop but no memory", () => {
    const written = facts({ fileBytes: 8e9, frozenFileBytes: 100e6, stopSeconds: 10 });
    expect(chooseMode("cold", written)).to.include({ runningBytes: 8e9, frozenBytes: 100e6, blackoutSeconds: 0.4 + 10 + 0.5 });
    expect(chooseMode("postcopy", written)).to.include({ runningBytes: 8e9 + GIBIBYTE, frozenBytes: 100e6, blackoutSeconds: 0.4 + 0.5 });
    expect(chooseMode("stopcopy", written).frozenBytes).to.equal(100e6 + GIBIBYTE);
  });
});
