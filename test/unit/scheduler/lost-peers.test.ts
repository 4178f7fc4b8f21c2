import { expect } from "chai";
import type { ExecutorReport } from "../../../executor/protocol.js";
import { findLostPeers, parseReports } from "../../../scheduler/fleet/lost-peers.js";

const NOW = 10_000;
const report = (over: Partial<ExecutorReport> = {}): ExecutorReport => ({
  at: NOW - 5,
  lostSince: null,
  reached: [],
  unreachable: [],
  ...over,
});
const signs = (reports: Record<string, ExecutorReport>) =>
  [...findLostPeers(new Map(Object.entries(reports)), NOW)].map(([node, { since, detail }]) => `${node} ${since} ${detail}`);

describe("lost peers", () => {
  it("are told of nobody while all reach some", () => {
    const reports = {
      n1: report({ reached: ["n2", "n3"] }),
      n2: report({ reached: ["n3"], unreachable: ["n1"] }),
      n3: report({ reached: ["n1"] }),
    };
    expect(signs(reports)).to.deep.equal([]);
  });

  it("are told of an executor that was heard and has fallen silent, and never of one that was not heard yet", () => {
    expect(signs({ n1: report({ at: NOW - 90 }), n2: report() })).to.deep.equal(["n1 9910 its executor has not been heard for 90 s"]);
    expect(signs({ n2: report({ reached: ["n1"] }) })).to.deep.equal([]);
  });

  it("are told of a node that reaches none of several that live, and not of those that it does not reach", () => {
    const reports = {
      n1: report({ lostSince: NOW - 40, unreachable: ["n2", "n3"] }),
      n2: report({ reached: ["n3"], unreachable: ["n1"] }),
      n3: report({ reached: ["n2"], unreachable: ["n1"] }),
    };
    expect(signs(reports)).to.deep.equal(["n1 9960 it reaches none of n2, n3"]);
  });

  it("are not told of the living when the others have died, nor between two alone, where either may be cut off", () => {
    const dead = report({ at: NOW - 90 });
    const reports = { n1: report({ lostSince: NOW - 40, unreachable: ["n2", "n3"] }), n2: dead, n3: dead };
    expect(signs(reports).map((line) => line.split(" ")[0])).to.deep.equal(["n2", "n3"]);
    const two = { n1: report({ lostSince: NOW - 40, unreachable: ["n2"] }), n2: report({ lostSince: NOW - 40, unreachable: ["n1"] }) };
    expect(signs(two)).to.deep.equal([]);
  });

  it("are told of a node that several others do not reach although it reaches them", () => {
    const reports = {
      n1: report({ reached: ["n2", "n3"] }),
      n2: report({ reached: ["n3"], unreachable: ["n1"] }),
      n3: report({ reached: ["n2"], unreachable: ["n1"] }),
    };
    expect(signs(reports)).to.deep.equal(["n1 9995 n2 and n3 do not reach it"]);
  });

  it("are unknown where the report cannot be understood", () => {
    expect([...parseReports({ n1: "{", n2: "{}", n3: JSON.stringify(report()) }).keys()]).to.deep.equal(["n3"]);
  });
});
