import { expect } from "chai";
import { stopSecondsOf } from "../../../executor/engine/docker/stop-seconds.js";

const TERM = 1n << 14n;
const QUIT = 1n << 2n;
const RT_3 = 1n << 36n;

/** The lines of proc_pid_status(5) that count; `pids`: as each pid namespace numbers it. */
function status({ blocked = 0n, ignored = 0n, caught = 0n, pids = [4711, 1] }): string {
  const mask = (signals: bigint) => signals.toString(16).padStart(16, "0");
  return [
    "Name:\tprogram",
    `NSpid:\t${pids.join("\t")}`,
    "SigPnd:\t0000000000000000",
    `SigBlk:\t${mask(blocked)}`,
    `SigIgn:\t${mask(ignored)}`,
    `SigCgt:\t${mask(caught)}`,
    "CapInh:\t0000000000000000",
  ].join("\n");
}

describe("How long a program takes to end when Docker stops it", () => {
  it("is all of Docker's patience for the first process of a container that has no handler", () => {
    expect(stopSecondsOf(status({}), {})).to.equal(10);
    expect(stopSecondsOf(status({ caught: QUIT }), { StopTimeout: 30 })).to.equal(30);
    expect(stopSecondsOf(status({}), { StopSignal: "", StopTimeout: 0 })).to.equal(0);
  });

  it("is not known of one that hears the signal, by a handler or by waiting for it", () => {
    expect(stopSecondsOf(status({ caught: TERM }), {})).to.equal(null);
    expect(stopSecondsOf(status({ blocked: TERM }), {})).to.equal(null);
    expect(stopSecondsOf(status({ blocked: TERM, ignored: TERM }), {})).to.equal(null);
  });

  it("is told by the signal that the container wants", () => {
    const quits = status({ caught: QUIT });
    for (const StopSignal of ["SIGQUIT", "quit", "3"]) expect(stopSecondsOf(quits, { StopSignal }), StopSignal).to.equal(null);
    expect(stopSecondsOf(quits, { StopSignal: "15" })).to.equal(10);
    expect(stopSecondsOf(status({ blocked: RT_3 }), { StopSignal: "SIGRTMIN+3" })).to.equal(null);
    expect(stopSecondsOf(status({ blocked: TERM }), { StopSignal: "SIGRTMIN+3" })).to.equal(10);
    expect(stopSecondsOf(quits, { StopSignal: "SIGKILL" })).to.equal(0);
  });

  it("is nothing where the signal ends it at once: it is not the first of its namespace", () => {
    expect(stopSecondsOf(status({ pids: [4711] }), {})).to.equal(0);
    expect(stopSecondsOf(status({ pids: [4711, 12] }), {})).to.equal(0);
    expect(stopSecondsOf(status({ pids: [4711], ignored: TERM }), {})).to.equal(10);
  });

  it("is not known where Docker would wait for ever, or the signal has a name that nobody knows", () => {
    expect(stopSecondsOf(status({}), { StopTimeout: -1 })).to.equal(null);
    for (const StopSignal of ["SIGNOTHING", "0", "99", "not one"])
      expect(stopSecondsOf(status({}), { StopSignal }), StopSignal).to.equal(null);
  });
});
