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

describe("a replay", () => {
  it("moves what would have been moved, once, and counts the overload that is spared", async () => {
    const result = await run(recording(60, HOT));
    expect(result.moves.map(({ from: left, reason }) => [left, reason])).to.deep.equal([["n1", "overload"]]);
    expect(result).to.deep.include({ snapshots: 60, seconds: 590, movesByReason: { overload: 1 }, movedAgainInCooldown: 0, pingPongs: 0 });
    expect(result.overloadSecondsWithoutMoves).to.equal(590);
    expect(result.overloadSeconds).to.be.within(60, 150);
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
