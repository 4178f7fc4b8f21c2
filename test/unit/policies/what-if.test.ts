import { expect } from "chai";
import { foresee } from "../../../policies/what-if/foresee.js";
import { imagine } from "../../../policies/what-if/imagine.js";
import { config, constraints, GIBIBYTE, NOW, node, snapshot, steady, workload } from "./small-fleet.js";

const inZone = (id: string, cpuRatio: number, zone: string) => steady(id, cpuRatio, 0.3, { labels: { "io.evenkeel.zone": zone } });
const fleet = () =>
  snapshot(
    [inZone("n1", 0.4, "a"), inZone("n2", 0.4, "a"), inZone("n3", 0.2, "b")],
    [
      workload("w1", "n1", 1),
      workload("w2", "n1", 1),
      workload("w3", "n2", 1),
      workload("w4", "n2", 1, { constraints: constraints({ mode: "never" }) }),
    ],
  );

describe("what if", () => {
  it("two nodes are drained: every move, and what would be left", () => {
    const { moves, last, isAtRest } = foresee(imagine(fleet(), { drain: ["n1", "n2"] }), config(), NOW);
    expect(isAtRest).to.equal(true);
    expect(moves.map(({ workload, to }) => `${workload}>${to}`)).to.deep.equal(["w1>n3", "w2>n3", "w3>n3"]);
    expect(last.skips.map(({ workload, reason }) => `${workload} ${reason}`)).to.deep.equal(["w4 workload-never"]);
  });
  it("the limits on moves only delay, so they do not change the answer", () => {
    const slow = config({ concurrency: { perNode: 1, fleet: 1 }, movesPerHour: 0 });
    expect(foresee(imagine(fleet(), { drain: ["n1", "n2"] }), slow, NOW).moves).to.have.length(3);
  });
  it("a zone is lost: all of it has to fit elsewhere, even what never moves", () => {
    const { moves, last } = foresee(imagine(fleet(), { lose: ["a"] }), config(), NOW);
    expect(moves).to.have.length(4);
    expect(last.skips).to.deep.equal([]);
  });
  it("a node is lost whose CPU no other has: what it ran is started anew, where a drain could not have taken it", () => {
    const state = snapshot(
      [steady("n1", 0.4, 0.3, { cpuKind: "new" }), steady("n2", 0.1, 0.3, { cpuKind: "old", refusedCpus: ["new"] })],
      [workload("w1", "n1", 1)],
    );
    const outcome = (change: Parameters<typeof imagine>[1]) => {
      const { moves, last } = foresee(imagine(state, change), config(), NOW);
      return [...moves.map(({ workload, to }) => `${workload}>${to}`), ...last.skips.map(({ reason }) => reason)];
    };
    expect(outcome({ lose: ["n1"] })).to.deep.equal(["w1>n2"]);
    expect(outcome({ drain: ["n1"] })).to.deep.equal(["target-cpu-differs"]);
  });
  it("a node is lost that the others cannot make up for", () => {
    const state = fleet();
    const heavy = { ...state, workloads: [...state.workloads, workload("huge", "n1", 1, { memoryUsedBytes: 14 * GIBIBYTE })] };
    expect(foresee(imagine(heavy, { lose: ["n1"] }), config(), NOW).last.skips.map((skip) => skip.workload)).to.deep.equal(["huge"]);
  });
  it("two nodes are added: they fill up when balance is on", () => {
    const full = snapshot(
      [inZone("n1", 0.7, "a")],
      Array.from({ length: 5 }, (_, index) => workload(`w${index}`, "n1", 1)),
    );
    const { moves } = foresee(imagine(full, { add: 2 }), config({ balance: { enabled: true } }), NOW);
    expect(new Set(moves.map(({ to }) => to))).to.deep.equal(new Set(["new-1", "new-2"]));
    expect(foresee(imagine(full, { add: 2 }), config(), NOW).moves).to.deep.equal([]);
  });
  it("nodes that sleep are woken as far as the change needs them, and no further", () => {
    const away = { state: "unknown", cpuUsedCores: null, memoryUsedBytes: null, history: [], power: "asleep" } as const;
    const saving = config({ consolidate: { enabled: true } });
    const state = snapshot(
      [inZone("n1", 0.3, "a"), inZone("n2", 0.3, "a"), ...["s1", "s2", "s3"].map((id) => ({ ...inZone(id, 0, "b"), ...away }))],
      ["a", "b"].flatMap((id) => [workload(`${id}1`, "n1", 1), workload(`${id}2`, "n2", 1)]),
    );
    const calm = foresee(state, saving, NOW);
    expect([calm.woken, calm.moves, calm.isAtRest]).to.deep.equal([[], [], true]);
    const drained = foresee(imagine(state, { drain: ["n1", "n2"] }), saving, NOW);
    expect(drained.isAtRest).to.equal(true);
    expect(drained.last.skips).to.deep.equal([]);
    expect(drained.woken.map(({ node: id, to }) => `${to} ${id}`)).to.deep.equal(["wake s1", "wake s2"]);
    expect(drained.woken[0]!.because).to.match(/^Wakes s1: there is no room for a1, which should leave n1/);
    expect(drained.moves).to.have.length(4);
    expect(new Set(drained.moves.map(({ to }) => to))).to.deep.equal(new Set(["s1"]));
    expect(drained.last.verdicts.find(({ node: id }) => id === "s3")!.verdict).to.equal("asleep");
    const usual = drained.end.nodes.find(({ id }) => id === "s2")!;
    expect(usual.cpuUsedCores!, "it comes with what the others use besides their workloads").to.be.closeTo(0.3 * 8 - 2, 1e-9);
  });
  it("a node that is lost in its sleep is not woken, one that falls asleep is woken after, and one that is waking is waited for", () => {
    const away = { state: "unknown", cpuUsedCores: null, memoryUsedBytes: null, history: [] } as const;
    const saving = config({ consolidate: { enabled: true } });
    const state = (power: "asleep" | "waking") =>
      snapshot([inZone("n1", 0.3, "a"), { ...inZone("s1", 0, "b"), ...away, power }], [workload("w", "n1", 1)]);
    const lost = foresee(imagine(state("asleep"), { lose: ["s1"], drain: ["n1"] }), saving, NOW);
    expect([lost.woken, lost.moves, lost.isAtRest]).to.deep.equal([[], [], true]);
    const falling = { ...state("asleep"), nodes: [inZone("n1", 0.3, "a"), { ...inZone("s1", 0, "b"), power: "falling-asleep" as const }] };
    expect(foresee(imagine(falling, { drain: ["n1"] }), saving, NOW).woken.map(({ node: id }) => id)).to.deep.equal(["s1"]);
    const closing = { ...state("asleep"), nodes: [inZone("n1", 0.3, "a"), { ...inZone("s1", 0, "b"), power: "closing" as const }] };
    expect(
      foresee(imagine(closing, { drain: ["n1"] }), saving, NOW).moves.map(({ to }) => to),
      "it opens again",
    ).to.deep.equal(["s1"]);
    const waking = foresee(imagine(state("waking"), { drain: ["n1"] }), saving, NOW);
    expect(waking.woken).to.deep.equal([]);
    expect(waking.moves.map(({ to }) => to)).to.deep.equal(["s1"]);
  });
  it("new nodes are like the others in size, and have nothing of theirs", () => {
    const state = fleet();
    const nodes = state.nodes.map((each) => ({ ...each, endedNames: ["w1"], power: "closing" as const, wokenAt: NOW - 5 }));
    const [added] = imagine({ ...state, nodes }, { add: 1 }).nodes.slice(-1);
    expect(added).to.deep.include({ id: "new-1", endedNames: [], power: null, wokenAt: null, labels: {} });
    expect(added!.cpuCapacityCores).to.equal(nodes[0]!.cpuCapacityCores);
  });
  it("nothing is known of any node: nothing is made up", () => {
    expect(imagine(snapshot([node("n1", 0.5, 0.3, { state: "unknown" })]), { add: 3 }).nodes).to.have.length(1);
  });
  it("does not change the snapshot it was asked about", () => {
    const state = fleet();
    const before = JSON.stringify(state);
    foresee(imagine(state, { drain: ["n1"], lose: ["n2"], add: 1 }), config({ balance: { enabled: true } }), NOW);
    expect(JSON.stringify(state)).to.equal(before);
  });
});
