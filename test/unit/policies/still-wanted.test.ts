import { expect } from "chai";
import { decide } from "../../../policies/decide.js";
import { whyNoLongerWanted, whyReasonGone } from "../../../policies/still-wanted.js";
import type { Move, Snapshot } from "../../../policies/types.js";
import { config, constraints, draining, hot, NOW, node, snapshot, workload } from "./small-fleet.js";

const planned = (state: Snapshot): Move => decide(state, config(), NOW).moves[0]!;
const lookAgain = (state: Snapshot, move: Move, now = NOW + 5) =>
  whyNoLongerWanted({ snapshot: state, config: config(), now, verdicts: decide(state, config(), now).verdicts }, move);
const reasonOf = (state: Snapshot, move: Move) => lookAgain(state, move)?.reason ?? null;

describe("a planned move, looked at again before it begins", () => {
  it("goes on while nothing has changed, its own open migration included", () => {
    const move = planned(hot());
    expect(reasonOf(hot(), move)).to.equal(null);
    expect(reasonOf({ ...hot(), migrations: [{ id: "m", workload: "a", from: "n1", to: "n2" }] }, move)).to.equal(null);
  });
  it("goes on though its group's disruption budget has been lowered: it had its part when it was begun", () => {
    const bound = { constraints: constraints({ disruptionBudget: { group: "web", moving: 1 } }) };
    const workloads = [workload("a", "n1", 3, bound), workload("b", "n3", 0.1, bound)];
    const state = { ...snapshot([node("n1", 0.9), node("n2", 0.1), node("n3", 0.1)], workloads) };
    const migrations = [
      { id: "m1", workload: "a", from: "n1", to: "n2" },
      { id: "m2", workload: "b", from: "n3", to: "n2" },
    ];
    expect(reasonOf({ ...state, migrations }, planned(state))).to.equal(null);
  });
  it("is dropped when the node has cooled by itself", () => {
    const move = planned(hot());
    expect(lookAgain({ ...hot(), nodes: [node("n1", 0.5), node("n2", 0.1)] }, move, NOW)!.because).to.equal("n1 is no longer overloaded.");
  });
  it("is dropped when it makes room for others, and no node is overloaded any more", () => {
    const state = snapshot([node("n1", 0.9), node("n2", 0.6), node("n3", 0.5)], [workload("big", "n1", 2.4), workload("guest", "n2", 1.6)]);
    const move = planned(state);
    expect(move).to.include({ workload: "guest", reason: "room" });
    expect(reasonOf(state, move)).to.equal(null);
    const cooled = { ...state, nodes: [node("n1", 0.5), node("n2", 0.6), node("n3", 0.5)] };
    expect(lookAgain(cooled, move, NOW)!.because).to.equal("No node is overloaded any more.");
  });
  it("is dropped when the policy that planned it is switched off", () => {
    const gone = (reason: Move["reason"], off: Parameters<typeof config>[0]) =>
      whyReasonGone({ snapshot: hot(), config: config(off), now: NOW, verdicts: [] }, { workload: "a", from: "n1", to: "n2", reason });
    expect(gone("overload", { overload: { enabled: false } })).to.equal("What it was planned for (overload) is switched off.");
    for (const reason of ["balance", "consolidate", "placement"] as const) expect(gone(reason, {}), reason).to.contain("is switched off");
    expect(gone("balance", { balance: { enabled: true } })).to.equal(null);
    expect(gone("consolidate", { consolidate: { enabled: true } })).to.equal(null);
    expect(gone("placement", { placement: { repair: true } })).to.equal(null);
    expect(gone("placement", { example: { enabled: true } })).to.equal(null);
    expect(gone("operator", {})).to.equal(null);
  });
  it("is dropped when the destination has filled up, gone silent or been flagged", () => {
    const move = planned(hot());
    expect(reasonOf({ ...hot(), nodes: [node("n1", 0.9), node("n2", 0.6)] }, move)).to.equal("target-cpu-full");
    expect(reasonOf({ ...hot(), nodes: [node("n1", 0.9), node("n2", 0.1, 0.3, { state: "unknown" })] }, move)).to.equal("target-unknown");
    expect(reasonOf({ ...hot(), nodes: [node("n1", 0.9), draining("n2", 0.1)] }, move)).to.equal("target-maintenance");
  });
  it("is dropped when the workload has gone, or is elsewhere", () => {
    const move = planned(hot());
    expect(reasonOf({ ...hot(), workloads: [] }, move)).to.equal("workload-missing");
    expect(reasonOf({ ...hot(), workloads: [workload("a", "n3", 3)] }, move)).to.equal("not-needed");
  });
  it("is dropped when the drain has been called off", () => {
    const state = snapshot([draining("n1", 0.3), node("n2", 0.1)], [workload("a", "n1", 1)]);
    const move = planned(state);
    expect(reasonOf(state, move)).to.equal(null);
    expect(reasonOf({ ...state, nodes: [node("n1", 0.3), node("n2", 0.1)] }, move)).to.equal("not-needed");
  });
  it("is dropped when the sign of failing has gone", () => {
    const ailing = node("n1", 0.3, 0.3, { health: [{ kind: "overheating", since: NOW, detail: "95 °C" }] });
    const state = snapshot([ailing, node("n2", 0.1)], [workload("a", "n1", 1)]);
    const move = planned(state);
    expect(reasonOf(state, move)).to.equal(null);
    expect(reasonOf({ ...state, nodes: [node("n1", 0.3), node("n2", 0.1)] }, move)).to.equal("not-needed");
  });
});
