import { expect } from "chai";
import { makeWindows, movesForbidden, windowMaintenance } from "../../../scheduler/windows.js";

const at = (text: string) => Date.parse(text) / 1000;
const nightly = { cron: "30 2 * * *", timeZone: "Europe/Berlin", durationMinutes: 60, action: "maintenance", node: "n1" } as const;

describe("windows", () => {
  it("are open from their beginning, in their own time zone, for their duration", () => {
    const windows = makeWindows([nightly]);
    const isOpen = (text: string) => windows.open(at(text)).length === 1;
    expect(isOpen("2026-11-22T01:29:59Z")).to.equal(false);
    expect(isOpen("2026-11-22T01:30:00Z")).to.equal(true);
    expect(isOpen("2026-11-22T02:29:59Z")).to.equal(true);
    expect(isOpen("2026-11-22T02:30:00Z")).to.equal(false);
    // Summer time: one hour earlier in UTC.
    expect(isOpen("2026-07-22T00:30:00Z")).to.equal(true);
  });

  for (const [timeZone, begin] of [
    ["Asia/Kolkata", "2026-11-21T21:00:00Z"],
    ["Etc/UTC", "2026-11-22T02:30:00Z"],
    ["US/Eastern", "2026-11-22T07:30:00Z"],
  ] as const) {
    it(`may name their time zone as ${timeZone}, which is an alias`, () => {
      const windows = makeWindows([{ ...nightly, timeZone }]);
      expect(windows.open(at(begin) - 1)).to.deep.equal([]);
      expect(windows.open(at(begin))[0]).to.include({ since: at(begin) });
    });
  }

  it("that would begin in the hour which summer time leaves out begin right after it", () => {
    const windows = makeWindows([{ ...nightly, durationMinutes: 90 }]);
    const isOpen = (text: string) => windows.open(at(text)).length === 1;
    // At 01:00 UTC the clocks of Berlin go from 2 to 3.
    expect(isOpen("2026-03-29T00:59:59Z")).to.equal(false);
    expect(isOpen("2026-03-29T01:00:00Z")).to.equal(true);
    expect(windows.open(at("2026-03-29T02:29:59Z"))[0]).to.include({
      since: at("2026-03-29T01:00:00Z"),
      until: at("2026-03-29T02:30:00Z"),
    });
    expect(isOpen("2026-03-29T02:30:00Z")).to.equal(false);
    const later = makeWindows([{ ...nightly, cron: "30 3 * * *" }]);
    expect(later.open(at("2026-03-29T01:29:00Z"))).to.deep.equal([]);
    expect(later.open(at("2026-03-29T01:30:00Z"))).to.have.length(1);
    const west = makeWindows([{ ...nightly, timeZone: "America/New_York" }]);
    expect(west.open(at("2026-03-08T06:59:00Z"))).to.deep.equal([]);
    expect(west.open(at("2026-03-08T07:00:00Z"))).to.have.length(1);
  });

  it("that begin in the hour which comes twice are open in both", () => {
    const windows = makeWindows([nightly]);
    for (const text of ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"]) expect(windows.open(at(text))[0]).to.include({ since: at(text) });
  });

  it("are found open by a scheduler that starts in the middle of one", () => {
    const [open] = makeWindows([nightly]).open(at("2026-11-22T02:10:00Z"));
    expect(open).to.include({ since: at("2026-11-22T01:30:00Z"), until: at("2026-11-22T02:30:00Z") });
  });

  it("ask maintenance of their own node only", () => {
    const open = makeWindows([nightly]).open(at("2026-11-22T02:00:00Z"));
    expect(windowMaintenance(open, "n1")?.since).to.equal(at("2026-11-22T01:30:00Z"));
    expect(windowMaintenance(open, "n2")).to.equal(null);
  });

  it("forbid the moves that touch their node, or all", () => {
    const now = at("2026-11-22T02:00:00Z");
    const rest = { cron: "0 * * * *", timeZone: "UTC", durationMinutes: 5, action: "no-moves" } as const;
    const all = makeWindows([rest]).open(now);
    const one = makeWindows([{ ...rest, node: "n1" }]).open(now);
    expect(movesForbidden(all, { from: "n2", to: "n3" })).to.equal(true);
    expect(movesForbidden(one, { from: "n2", to: "n3" })).to.equal(false);
    expect(movesForbidden(one, { from: "n2", to: "n1" })).to.equal(true);
    expect(movesForbidden(makeWindows([nightly]).open(now), { from: "n1", to: "n2" })).to.equal(false);
  });

  for (const [wrong, why] of [
    [{ cron: "61 * * * *" }, "cron"],
    [{ cron: "* * * * * *" }, "five fields"],
    [{ timeZone: "Mars/Olympus" }, "time zone"],
    [{ node: undefined }, "needs a node"],
  ] as const) {
    it(`are refused when wrong: ${JSON.stringify(wrong)}`, () => {
      expect(() => makeWindows([{ ...nightly, ...wrong }])).to.throw(why);
    });
  }
});
