import { expect } from "chai";
import { judgeFreshness } from "../../../scheduler/page/src/judge-freshness.js";

const NOW = 1000;
const ago = (seconds: number) => (NOW - seconds) * 1000;

describe("How fresh the live page is", () => {
  const judge = (heardAt: number | null, readAt: number | null, { shownAt = ago(600), tickSeconds = 5 } = {}) =>
    judgeFreshness({ heardAt, readAt, shownAt }, tickSeconds, NOW);

  it("is live while events and readings both come", () => {
    expect(judge(ago(2), ago(4))).to.deep.equal({ connection: "live", ageSeconds: 4, isHeard: true });
    expect(judge(ago(14), ago(14)).connection).to.equal("live");
  });

  it("is stale when either has not come for three ticks, and says which", () => {
    expect(judge(ago(1), ago(16))).to.deep.equal({ connection: "stale", ageSeconds: 16, isHeard: true });
    expect(judge(ago(16), ago(1))).to.deep.equal({ connection: "stale", ageSeconds: 16, isHeard: false });
  });

  it("waits eight seconds at least, however often the scheduler ticks", () => {
    expect(judge(ago(7), ago(7), { tickSeconds: 1 }).connection).to.equal("live");
    expect(judge(ago(9), ago(9), { tickSeconds: 1 }).connection).to.equal("stale");
  });

  it("is not live before the first reading, however many events have come", () => {
    expect(judge(null, null).connection).to.equal("connecting");
    expect(judge(ago(0), null)).to.deep.equal({ connection: "connecting", ageSeconds: null, isHeard: true });
  });

  it("blames nobody for what it did not listen to while it was hidden", () => {
    expect(judge(ago(300), ago(300), { shownAt: ago(1) }).connection).to.equal("connecting");
    expect(judge(ago(300), ago(300), { shownAt: ago(16) }).connection).to.equal("stale");
  });

  it("takes a clock that was set back for no age", () => {
    expect(judge(ago(-50), ago(-50))).to.deep.include({ connection: "live", ageSeconds: 0 });
  });
});
