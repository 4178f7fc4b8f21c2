import { expect } from "chai";
import { pino } from "pino";
import type { Mode } from "../../../scheduler/act/carry-out-plan.js";
import { makePowerActs } from "../../../scheduler/power/carry-out-power.js";
import { judgePower, type PowerRecord } from "../../../scheduler/power/power-record.js";

const HOOK = { command: ["true"] };
const power = makePowerActs({ sleep: HOOK, wake: HOOK, deadlineSeconds: 60 }, pino({ level: "silent" }));

/** Why a sleep is held back of a node that was told this, in that mode, with a pause since then. */
function whySleepless(mode: Mode, record?: PowerRecord, pausedSince?: number) {
  const pause = pausedSince === undefined ? null : { since: pausedSince, reason: "a fair" };
  return power.heldBack({ node: "n3", to: "sleep", because: "" }, { mode, windows: [], pause }, record);
}

describe("a node that is closed for its sleep", () => {
  it("goes on by itself once an operator has approved it, unless the fleet is paused after that", () => {
    const closed: PowerRecord = { told: "close", since: 100 };
    expect(whySleepless("auto", closed)).to.equal(null);
    expect(whySleepless("approve", closed)).to.contain("mode approve");
    const approved: PowerRecord = { ...closed, approved: true };
    expect(whySleepless("approve", approved)).to.equal(null);
    expect(whySleepless("observe", approved, 50), "approved in spite of the pause").to.equal(null);
    expect(whySleepless("observe", approved, 150)).to.contain("paused (a fair)");
    expect(whySleepless("auto", closed, 50)).to.contain("paused (a fair)");
  });
});

describe("a node whose hook failed to wake it", () => {
  it("is said to have failed for as long as it sleeps or is called again, and not once it reports", () => {
    const failedAt = 500;
    expect(judgePower({ told: "sleep", since: 0, failedAt }, null, 1000, 60)).to.deep.equal({ power: "asleep", wakeFailedAt: failedAt });
    expect(judgePower({ told: "wake", since: 990, failedAt }, null, 1000, 60)).to.deep.equal({ power: "waking", wakeFailedAt: failedAt });
    expect(judgePower({ told: "wake", since: 990, failedAt }, 999, 1000, 60)).to.deep.equal({ wokenAt: 990 });
    expect(judgePower({ told: "sleep", since: 900 }, null, 1000, 60)).to.deep.equal({ power: "asleep" });
  });
});

describe("a node that was woken and has not come", () => {
  it("is unknown, called again or not, and awake since the last call once it reports", () => {
    expect(judgePower({ told: "wake", since: 900 }, null, 1000, 60)).to.deep.equal({});
    const called: PowerRecord = { told: "wake", since: 900, calledAt: 990 };
    expect(judgePower(called, null, 1000, 60)).to.deep.equal({});
    expect(judgePower(called, 995, 1000, 60)).to.deep.equal({ wokenAt: 990 });
  });
});
