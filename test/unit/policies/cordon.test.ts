import { expect } from "chai";
import { canMove } from "../../../policies/can-move.js";
import { decide } from "../../../policies/decide.js";
import { config, draining, NOW, node, snapshot, steady, workload } from "./small-fleet.js";

const cordoned = { cordoned: true, cordonedBecause: "odd noise" };
const three = (on: string, cores: number) => ["a", "b", "c"].map((name) => workload(`${on}-${name}`, on, cores));
const routes = (state: Parameters<typeof decide>[0], settings = config()) =>
  decide(state, settings, NOW).moves.map(({ from, to, reason }) => `${from}>${to} ${reason}`);

describe("a cordoned node", () => {
  it("gets nothing new, not even from an operator, and whoever asks is told why it is cordoned", () => {
    const state = snapshot([draining("n1", 0.2), node("n2", 0.1, 0.3, cordoned), node("n3", 0.5)], [workload("w", "n1", 0.5)]);
    expect(routes(state)).to.deep.equal(["n1>n3 maintenance"]);
    const refusal = canMove(state, config(), NOW, "w", "n2")!;
    expect([refusal.reason, refusal.because]).to.deep.equal(["target-cordoned", "n2 is cordoned (odd noise)."]);
    const alone = snapshot([draining("n1", 0.2), node("n2", 0.1, 0.3, { cordoned: true })], [workload("w", "n1", 0.5)]);
    expect(decide(alone, config(), NOW).skips.map(({ because }) => because)).to.deep.equal(["n2 is cordoned."]);
  });

  it("keeps what it has when the fleet is levelled or saves power, and the plan says so", () => {
    const uneven = snapshot([steady("n1", 0.6, 0.3, cordoned), steady("n2", 0)], three("n1", 1.5));
    const levelling = config({ balance: { enabled: true } });
    expect(routes({ ...uneven, nodes: [steady("n1", 0.6), steady("n2", 0)] }, levelling)).to.not.deep.equal([]);
    const plan = decide(uneven, levelling, NOW);
    expect(plan.moves).to.deep.equal([]);
    expect(plan.skips.map(({ workload, reason }) => `${workload} ${reason}`)).to.deep.equal(
      ["a", "b", "c"].map((name) => `n1-${name} source-cordoned`),
    );
    const sleepy = { labels: { "io.evenkeel.may-sleep": "true" } };
    const idle = (more = {}) =>
      snapshot(
        [steady("n1", 0.1, 0.3, { ...sleepy, ...more }), steady("n2", 0.2), steady("n3", 0.2)],
        [workload("w", "n1", 0.2), workload("x", "n2", 0.2), workload("y", "n3", 0.2)],
      );
    const saving = config({ consolidate: { enabled: true } });
    expect(routes(idle(), saving).map((route) => route.slice(0, 2))).to.deep.equal(["n1"]);
    expect(routes(idle(cordoned), saving)).to.deep.equal([]);
  });

  it("is relieved when it is overloaded, and emptied when it is drained or may fail", () => {
    const hot = snapshot([node("n1", 0.9, 0.3, cordoned), node("n2", 0.1)], three("n1", 1.5));
    expect(new Set(routes(hot))).to.deep.equal(new Set(["n1>n2 overload"]));
    const flagged = draining("n1", 0.2);
    expect(routes(snapshot([{ ...flagged, ...cordoned }, node("n2", 0.1)], [workload("w", "n1", 0.5)]))).to.deep.equal([
      "n1>n2 maintenance",
    ]);
    const failing = { ...cordoned, health: [{ kind: "disk-failing" as const, since: NOW - 60, detail: "sda" }] };
    expect(routes(snapshot([node("n1", 0.2, 0.3, failing), node("n2", 0.1)], [workload("w", "n1", 0.5)]))).to.deep.equal(["n1>n2 health"]);
  });

  it("says so in its verdict, whatever else it is in", () => {
    const verdict = (cpuRatio: number) => decide(snapshot([node("n1", cpuRatio, 0.3, cordoned)]), config(), NOW).verdicts[0]!;
    expect(verdict(0.2)).to.include({ verdict: "level" });
    expect(verdict(0.2).because).to.match(/; cordoned \(odd noise\)\.$/);
    expect(verdict(0.95)).to.include({ verdict: "overloaded" });
    expect(verdict(0.95).because).to.match(/; cordoned \(odd noise\)\.$/);
  });
});
