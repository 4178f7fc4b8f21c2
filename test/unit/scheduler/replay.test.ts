import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { PolicyConfig } from "../../../policies/config.js";
import type { NodeState, Snapshot } from "../../../policies/types.js";
import { replay } from "../../../scheduler/record/replay.js";
import { readTrace, type TraceLine } from "../../../scheduler/record/trace.js";
import { config, NOW, node, snapshot, workload } from "../policies/small-fleet.js";

const STEP_SECONDS = 10;
const settings = config({ overload: { holdSeconds: 60 }, cooldownSeconds: 600, balance: { enabled: false } });

/** A recording in which nothing is moved: what each workload asks for at each step, in cores; nodes have 8. */
function recording(
  steps: number,
  demand: (workload: string, step: number) => number,
  change: (node: NodeState, step: number) => NodeState = (same) => same,
) {
  const places: Record<string, string> = { a: "n1", b: "n1", c: "n2", d: "n3" };
  return Array.from({ length: steps }, (_, step): TraceLine => {
    const at = NOW + step * STEP_SECONDS;
    const workloads = Object.entries(places).map(([id, place]) => workload(id, place, demand(id, step)));
    const nodes = ["n1", "n2", "n3"].map((id) => {
      const used = workloads.filter((each) => each.node === id).reduce((sum, { cpuUsedCores }) => sum + (cpuUsedCores ?? 0), 0);
      const cpuRatio = Math.min(1, used / 8);
      return change(node(id, cpuRatio, 0.3, { history: [{ at, cpuRatio, memoryRatio: 0.3 }] }), step);
    });
    return { snapshot: { ...snapshot(nodes, workloads), at } satisfies Snapshot, policies: {} };
  });
}
async function* from(lines: readonly TraceLine[]) {
  yield* lines;
}
const run = (lines: readonly TraceLine[], chosen: PolicyConfig = settings) => replay(from(lines), () => chosen);

const HOT = (id: string) => ({ a: 4, b: 3.2, c: 1, d: 1 })[id] ?? 0;

describe("a replay", function () {
  // Seconds of CPU for some of these, and many more on a crowded machine.
  this.timeout(60_000);
  it("moves what would have been moved, once, and counts the overload that is spared", async () => {
    const result = await run(recording(60, HOT));
    expect(result.moves.map(({ from: left, reason }) => [left, reason])).to.deep.equal([["n1", "overload"]]);
    expect(result).to.deep.include({ snapshots: 60, seconds: 590, movesByReason: { overload: 1 }, movedAgainInCooldown: 0, pingPongs: 0 });
    expect(result.overloadSecondsWithoutMoves).to.equal(590);
    expect(result.overloadSeconds).to.be.within(60, 150);
  });

  it("takes the rhythm of the recording for no silence, and a gap in it for one", async () => {
    const slow = (gapAt: number) =>
      recording(8, HOT).map(({ snapshot: line, policies }, index) => {
        const at = NOW + index * 45 + (index >= gapAt ? 3600 : 0);
        const nodes = line.nodes.map((each) => ({ ...each, history: each.history.map((point) => ({ ...point, at })) }));
        return { snapshot: { ...line, at, nodes }, policies };
      });
    expect((await run(slow(8))).moves.map(({ at }) => at - NOW)).to.deep.equal([90]);
    expect((await run(slow(2))).moves.map(({ at }) => at - NOW)).to.deep.equal([3600 + 180]);
  });

  it("waits for the hold time: a spike moves nothing", async () => {
    const result = await run(recording(60, (id, step) => (step >= 20 && step < 23 ? HOT(id) : 1)));
    expect(result.moves).to.deep.equal([]);
    expect(result.overloadSeconds).to.equal(30).and.to.equal(result.overloadSecondsWithoutMoves);
  });

  it("lets other settings decide", async () => {
    const result = await run(recording(60, HOT), config({ overload: { enabled: false } }));
    expect(result.moves).to.deep.equal([]);
    expect(result.overloadSeconds).to.equal(result.overloadSecondsWithoutMoves);
  });

  it("keeps cool-downs from tick to tick when the load jumps about", async () => {
    const swinging = (id: string, step: number) => (Math.floor(step / 12) % 2 === 0 ? HOT(id) : 8 - HOT(id) * 1.5);
    const result = await run(recording(240, swinging));
    expect(result.moves.length).to.be.greaterThan(0);
    expect(result.movedAgainInCooldown).to.equal(0);
  });

  it("empties a node that was flagged in the recording", async () => {
    const flagged = (state: NodeState, step: number) =>
      state.id === "n2" && step > 5 ? { ...state, maintenance: { since: NOW + 50, deadline: null, reason: "disks" } } : state;
    const result = await run(recording(20, () => 1, flagged));
    expect(result.moves.map(({ workload: moved, reason }) => [moved, reason])).to.deep.equal([["c", "maintenance"]]);
  });

  it("takes a node that fell silent for unknown, never for idle", async () => {
    const silent = (state: NodeState): NodeState =>
      state.id === "n3" ? { ...state, state: "unknown", cpuUsedCores: null, memoryUsedBytes: null, history: [] } : state;
    const result = await run(recording(60, (id) => (id === "d" ? 0 : HOT(id)), silent));
    expect(result.moves.map(({ to }) => to)).to.deep.equal(["n2"]);
  });
});

describe("a replay of a fleet that saves power", function () {
  // Seconds of CPU for some of these, and many more on a crowded machine.
  this.timeout(60_000);
  const SLEEPER = { labels: { "io.evenkeel.may-sleep": "true" } };
  const saving = config({
    overload: { holdSeconds: 60, settleSeconds: 0 },
    consolidate: { enabled: true, leadSeconds: 60, awakeSeconds: 0 },
  });
  const asleep = (state: NodeState): NodeState => ({
    ...state,
    state: "unknown",
    cpuUsedCores: null,
    memoryUsedBytes: null,
    history: [],
    power: "asleep",
  });
  const of = (id: string, change: (state: NodeState) => NodeState) => (state: NodeState) => (state.id === id ? change(state) : state);

  it("wakes a node that slept in the recording when the load needs it, and moves there only when it has come", async () => {
    const rising = (id: string, step: number) => (id === "d" ? 0 : step < 20 ? 1 : { a: 4, b: 3.2, c: 5.5 }[id]!);
    const lines = recording(90, rising, of("n3", asleep)).map((line) => ({
      ...line,
      snapshot: { ...line.snapshot, workloads: line.snapshot.workloads.filter(({ id }) => id !== "d") },
    }));
    const still = await run(lines, config({ overload: { holdSeconds: 60 }, consolidate: { enabled: true, leadSeconds: 1e6 } }));
    expect(still.moves, "it never comes").to.deep.equal([]);
    const result = await run(lines, saving);
    const woken = result.power.filter(({ to }) => to === "wake");
    expect(woken.map(({ node: id }) => id)).to.deep.equal(["n3"]);
    expect(result.moves.length).to.be.greaterThan(0);
    for (const { to, at } of result.moves) {
      expect(to).to.equal("n3");
      expect(at).to.be.at.least(woken[0]!.at + 60);
    }
    expect(result.overloadSeconds).to.be.lessThan(result.overloadSecondsWithoutMoves);
    expect(result.asleepSeconds).to.equal(woken[0]!.at + STEP_SECONDS - NOW);
  });

  it("puts a node to sleep that was awake, and leaves it be where the recording's own did otherwise", async () => {
    const few = recording(
      60,
      (id) => (id === "d" ? 0 : 0.3),
      of("n3", (state) => ({ ...state, ...SLEEPER })),
    ).map((line) => ({
      ...line,
      snapshot: { ...line.snapshot, workloads: line.snapshot.workloads.filter(({ id }) => id !== "d") },
    }));
    const result = await run(few, saving);
    expect(result.power.map(({ node: id, to }) => `${to} ${id}`)).to.deep.equal(["sleep n3"]);
    expect(result.asleepSeconds).to.equal(NOW + 590 - (result.power[0]!.at + STEP_SECONDS));
    expect((await run(few)).asleepSeconds).to.equal(0);
  });

  it("takes a node for awake when a container is started there in the recording, though the replay had it asleep", async () => {
    const late = recording(
      60,
      (id) => (id === "d" ? 1 : 0.3),
      of("n3", (state) => ({ ...state, ...SLEEPER })),
    ).map((line, step) => ({
      ...line,
      snapshot: { ...line.snapshot, workloads: line.snapshot.workloads.filter(({ id }) => id !== "d" || step >= 40) },
    }));
    const result = await run(late, saving);
    expect(result.power.map(({ node: id, to }) => `${to} ${id}`)).to.deep.equal(["sleep n3", "sleep n3"]);
    const [first, again] = result.power.map(({ at }) => at + STEP_SECONDS);
    const begun = NOW + 40 * STEP_SECONDS;
    expect(again).to.be.greaterThan(begun);
    expect(result.asleepSeconds).to.equal(begun - first! + (NOW + 590 - again!));
  });
});

describe("a recording", () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "evenkeel-trace-"));
    file = join(folder, "trace.jsonl");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const text = (lines: readonly TraceLine[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  const read = async () => {
    const times: number[] = [];
    for await (const line of readTrace(file)) times.push(line.snapshot.at);
    return times;
  };
  const refusal = () =>
    read().then(
      () => "none",
      (error: Error) => error.message,
    );

  it("is read without a last line that was cut short", async () => {
    await writeFile(file, text(recording(3, HOT)).slice(0, -20));
    expect(await read()).to.deep.equal([NOW, NOW + STEP_SECONDS]);
  });

  it("never runs backwards", async () => {
    await writeFile(file, text([...recording(2, HOT), ...recording(3, HOT)]));
    expect(await read()).to.deep.equal([NOW, NOW + STEP_SECONDS, NOW + 2 * STEP_SECONDS]);
  });

  it("is refused with the line that is no snapshot, when it is empty, and when it is not there", async () => {
    await writeFile(file, `${text(recording(1, HOT))}{"snapshot":{}}\n${text(recording(1, HOT))}`);
    expect(await refusal()).to.contain("trace.jsonl:2 is not");
    await writeFile(file, "");
    expect(await refusal()).to.contain("is empty");
    file = join(folder, "nothing");
    expect(await refusal()).to.contain("ENOENT");
  });
});
