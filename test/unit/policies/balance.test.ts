import { expect } from "chai";
import { decide } from "../../../policies/decide.js";
import { config, draining, flatHistory, GIBIBYTE, NOW, node, snapshot, steady, workload } from "./small-fleet.js";
import { runTicks } from "./ticking-fleet.js";

const levelling = config({ balance: { enabled: true } });
const LONG = 400;
const five = (on: string, cores: number) => Array.from({ length: 5 }, (_, index) => workload(`${on}-${index}`, on, cores));

describe("balancing a fleet in which nothing is overloaded", () => {
  it("is left alone unless it is asked for", () => {
    const state = snapshot([steady("n1", 0.6), steady("n2", 0)], five("n1", 0.9));
    expect(decide(state, config(), NOW).moves).to.deep.equal([]);
  });
  it("fills a node that has come back empty (a returned node stays empty)", () => {
    const state = snapshot([steady("n1", 0.6), steady("n2", 0.6), steady("n3", 0)], [...five("n1", 0.9), ...five("n2", 0.9)]);
    const plan = decide(state, levelling, NOW);
    expect(plan.moves.length).to.be.within(2, 4);
    expect(new Set(plan.moves.map(({ to, reason }) => `${to} ${reason}`))).to.deep.equal(new Set(["n3 balance"]));
    expect(plan.imbalanceAfter!).to.be.lessThan(plan.imbalanceBefore! / 2);
    expect(plan.moves[0]!.because).to.match(/^Evens the fleet out: distance from level \d+\.\d % to \d+\.\d %\.$/);
  });
  it("evens memory out as well", () => {
    const heavy = five("n1", 0.1).map((item) => ({ ...item, memoryUsedBytes: 2 * GIBIBYTE }));
    const state = snapshot([steady("n1", 0.2, 0.8), steady("n2", 0.2, 0.1)], heavy);
    expect(decide(state, config({ balance: { enabled: true }, cost: { horizonSeconds: 0 } }), NOW).moves.length).to.be.greaterThan(0);
  });
  it("leaves a fleet within the dead band as it is", () => {
    const state = snapshot([steady("n1", 0.45), steady("n2", 0.35)], five("n1", 0.5));
    expect(decide(state, levelling, NOW).moves).to.deep.equal([]);
  });
  it("judges by the mean of the window and not by a swing", () => {
    const swinging = node("n1", 0.7, 0.3, { history: [...flatHistory(0.4, 0.3, NOW - 60, LONG), ...flatHistory(0.7, 0.3, NOW, 50)] });
    expect(decide(snapshot([swinging, steady("n2", 0.4)], five("n1", 0.9)), levelling, NOW).moves).to.deep.equal([]);
  });
  it("leaves out a node that has not been watched for half of the window", () => {
    const fresh = node("n2", 0, 0.3, { history: flatHistory(0, 0.3, NOW, 60) });
    expect(decide(snapshot([steady("n1", 0.6), fresh], five("n1", 0.9)), levelling, NOW).moves).to.deep.equal([]);
  });
  it("says of each workload on a node that stays too full why it cannot go", () => {
    const state = snapshot([steady("n1", 0.7), steady("n2", 0.05, 0.88)], five("n1", 1));
    const plan = decide(state, levelling, NOW);
    expect(plan.moves).to.deep.equal([]);
    expect(plan.skips.map(({ reason, to }) => `${reason} ${to}`)).to.deep.equal(Array(5).fill("target-memory-full n2"));
  });
  it("makes no more moves in one plan than it may", () => {
    const state = snapshot([steady("n1", 0.7), steady("n2", 0), steady("n3", 0)], five("n1", 0.8));
    expect(decide(state, config({ balance: { enabled: true, movesPerPlan: 1 } }), NOW).moves).to.have.length(1);
  });
  it("brings nothing to a draining node", () => {
    expect(decide(snapshot([steady("n1", 0.7), draining("n2", 0)], five("n1", 0.8)), levelling, NOW).moves).to.deep.equal([]);
  });
  it("comes to rest: within twenty minutes the fleet is level, and then nothing moves for half an hour", () => {
    const nodes = [steady("n1", 0.7), steady("n2", 0.6), steady("n3", 0), steady("n4", 0)];
    const workloads = [...five("n1", 1.1), ...five("n2", 0.9)];
    const quick = config({ balance: { enabled: true }, cooldownSeconds: 0, fairness: { cooldownGrowth: 1, movesPerDay: 100 } });
    const { moves, plans } = runTicks(snapshot(nodes, workloads), quick, 300);
    expect(Math.max(...moves.map(({ at }) => at))).to.be.lessThan(NOW + 1200);
    expect(plans.at(-1)!.imbalanceBefore!).to.be.lessThan(0.1);
    expect(moves.length).to.be.within(4, 8);
  });
  it("goes on to the lower bound with the plans that follow a move, and not for ever", () => {
    const state = snapshot([steady("n1", 0.5), steady("n2", 0.32)], five("n1", 0.5));
    const begun = (levelledAt: number | null) => decide({ ...state, levelledAt }, levelling, NOW).moves.length;
    expect(begun(null)).to.equal(0);
    expect(begun(NOW - 290)).to.be.greaterThan(0);
    expect(begun(NOW - 310)).to.equal(0);
  });

  describe("in a large fleet, in whose mean a single node says little", () => {
    const name = (index: number) => `n${String(index + 2).padStart(2, "0")}`;
    const rest = Array.from({ length: 48 }, (_, index) => steady(name(index), index % 2 === 0 ? 0.58 : 0.62));
    const guests = rest.flatMap(({ id }) => five(id, 0.9));
    const made = (state: Parameters<typeof decide>[0]) =>
      decide(state, levelling, NOW).moves.map(({ from, to, reason }) => `${from} ${to} ${reason}`);

    it("fills one that has come back empty, and moves nothing among the others", () => {
      const moves = made(snapshot([steady("n01", 0), ...rest], guests));
      expect(moves.length).to.be.within(4, 6);
      for (const move of moves) expect(move).to.match(/ n01 balance$/);
    });
    it("relieves one that is far above the others", () => {
      const moves = made(snapshot([...rest.map(({ id }) => steady(id, 0.2)), steady("n99", 0.72)], five("n99", 1)));
      expect(moves.length).to.be.within(2, 5);
      for (const move of moves) expect(move).to.match(/^n99 /);
    });
    it("leaves it alone where nothing can be done about it, and says so of what is too much there", () => {
      const pinned = five("n99", 1).map((item) => ({ ...item, constraints: { ...item.constraints, pinnedTo: ["n99"] } }));
      const low = rest.map(({ id }, index) => steady(id, index % 2 === 0 ? 0.15 : 0.25));
      const plan = decide(snapshot([...low, steady("n99", 0.72)], [...pinned, ...low.flatMap(({ id }) => five(id, 0.2))]), levelling, NOW);
      expect(plan.moves).to.deep.equal([]);
      expect(plan.skips.map(({ workload: id, reason }) => `${id} ${reason}`)).to.deep.equal(
        [0, 1, 2, 3, 4].map((index) => `n99-${index} workload-pinned`),
      );
      const cordoned = steady("n01", 0, 0.3, { cordoned: true });
      expect(decide(snapshot([cordoned, ...rest], guests), levelling, NOW)).to.deep.include({ moves: [], skips: [] });
    });
  });
});
