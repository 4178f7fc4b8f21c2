import { expect } from "chai";
import { canMove } from "../../../policies/can-move.js";
import { decide } from "../../../policies/decide.js";
import type { HealthSignKind } from "../../../policies/types.js";
import { config, NOW, node, snapshot, workload } from "./small-fleet.js";

const ailing = (id: string, kind: HealthSignKind, cpuRatio = 0.3) =>
  node(id, cpuRatio, 0.3, { health: [{ kind, since: NOW - 60, detail: "nvme0: critical warning 0x04" }] });

describe("a node that shows signs of failing", () => {
  it("is emptied at once when the sign is grave, whatever rest its workloads are due", () => {
    const state = snapshot([ailing("n1", "disk-failing"), node("n2", 0.1)], [workload("a", "n1", 1, { lastMovedAt: NOW - 1 })]);
    const plan = decide(state, config(), NOW);
    expect(plan.moves.map(({ workload, to, reason }) => `${workload} ${to} ${reason}`)).to.deep.equal(["a n2 health"]);
    expect(plan.verdicts[0]).to.deep.equal({
      node: "n1",
      verdict: "suspect",
      because: "disk-failing: nvme0: critical warning 0x04; it is being emptied, 1 workload left.",
    });
  });
  it("only gets nothing new when the sign is a light one", () => {
    const state = snapshot([ailing("n1", "pressure-stall"), node("n2", 0.9)], [workload("a", "n1", 1), workload("b", "n2", 3)]);
    const plan = decide(state, config(), NOW);
    expect(plan.moves).to.deep.equal([]);
    expect(plan.verdicts[0]!.because).to.include("nothing new is placed there");
    expect(plan.skips.find((skip) => skip.workload === "b")!.reason).to.equal("target-suspect");
    expect(canMove(state, config(), NOW, "b", "n1")!.reason).to.equal("target-suspect");
  });
  for (const kind of ["out-of-memory-kills", "pressure-stall"] as const) {
    it(`is relieved of an overload although ${kind} closes it, and says both`, () => {
      const state = snapshot([ailing("n1", kind, 0.9), node("n2", 0.1)], [workload("a", "n1", 2.5), workload("b", "n1", 0.5)]);
      const plan = decide(state, config(), NOW);
      expect(plan.moves.map(({ workload, to, reason }) => `${workload} ${to} ${reason}`)).to.deep.equal(["a n2 overload"]);
      expect(plan.skips.map(({ workload, reason }) => `${workload} ${reason}`)).to.deep.equal(["b not-needed"]);
      expect(plan.verdicts[0]!.verdict).to.equal("suspect");
      expect(plan.verdicts[0]!.because).to.match(/nothing new is placed there, and it is relieved: CPU 90.0 %.* for 60 s\.$/);
      const off = config({ overload: { enabled: false } });
      expect(decide(state, off, NOW).verdicts[0]!.because).to.not.include("relieved");
    });
  }
  it("is not relieved when its peers are lost or its disk is read-only: moves from there fail", () => {
    for (const grave of ["peers-lost", "read-only-filesystem"] as const) {
      const signs = (["out-of-memory-kills", grave] as const).map((kind) => ({ kind, since: NOW - 60, detail: "as read" }));
      const state = snapshot([node("n1", 0.9, 0.3, { health: signs }), node("n2", 0.1)], [workload("a", "n1", 2.5)]);
      expect(decide(state, config(), NOW)).to.deep.include({ moves: [], skips: [] });
    }
  });
  it("goes before drains when only one may move", () => {
    const state = snapshot(
      [
        node("n1", 0.1, 0.3, { maintenance: { since: NOW, deadline: NOW + 1, reason: "x" } }),
        ailing("n2", "memory-errors"),
        node("n3", 0.1),
      ],
      [workload("a", "n1", 1), workload("b", "n2", 1)],
    );
    expect(decide(state, config({ concurrency: { fleet: 1 } }), NOW).moves.map((move) => move.workload)).to.deep.equal(["b"]);
  });
  it("is not judged when that is switched off", () => {
    const state = snapshot([ailing("n1", "disk-failing"), node("n2", 0.1)], [workload("a", "n1", 1)]);
    expect(decide(state, config({ health: { enabled: false } }), NOW).moves).to.deep.equal([]);
  });
});
