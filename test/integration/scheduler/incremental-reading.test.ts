import { expect } from "chai";
import type { Redis } from "ioredis";
import { makeKeys } from "../../../platform/keys.js";
import { makeNodeMemory, type NodeReading, readNodes } from "../../../scheduler/fleet/read-nodes.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { type ReportedFleet, reportFleet } from "../../support/reported-fleet.js";

const keys = makeKeys();
const START = 1_000_000;
const LENGTH = 10;

/** Whether a node was ever heard is a memory and nothing else. */
const withoutMemory = (nodes: readonly NodeReading[]) => nodes.map((node) => ({ ...node, neverHeard: undefined }));

/** Whatever happens in between, a reading that goes on from the last one must equal one that knows nothing. */
describe("a reading that goes on from the last one", () => {
  let server: ThrowAwayRedis;
  let redis: Redis;
  let fleet: ReportedFleet;
  let memory: ReturnType<typeof makeNodeMemory>;
  let at: number;

  const read = (from = memory, historyLength = LENGTH) => readNodes(redis, keys, { at, sampleTtlSeconds: 20, historyLength, memory: from });
  const expectSame = async (historyLength = LENGTH) => {
    const nodes = await read(memory, historyLength);
    expect(withoutMemory(nodes)).to.deep.equal(withoutMemory(await read(makeNodeMemory(), historyLength)));
    return nodes;
  };
  const push = async (times: number) => {
    for (let time = 0; time < times; time++) {
      at += 1;
      await fleet.push(at);
    }
  };

  beforeEach(async () => {
    server = await startRedis();
    redis = server.connect();
    at = START;
    memory = makeNodeMemory();
    fleet = reportFleet(redis, keys, [
      { id: "n1", workloads: [{ name: "a" }, { name: "b" }] },
      { id: "n2", workloads: [] },
    ]);
    await push(3);
    await read();
  });
  afterEach(() => server.close());

  it("sees what has been added since", async () => {
    await push(2);
    fleet.node("n1").workloads = [{ name: "b", cpuUsedCores: 1 }, { name: "c" }];
    await push(1);
    const [n1] = await expectSame();
    expect(n1?.history.map((point) => point.at)).to.deep.equal([1, 2, 3, 4, 5, 6].map((step) => START + step));
  });

  it("misses nothing when more was added than is kept", async () => {
    await push(LENGTH * 2 + 3);
    const [n1] = await expectSame();
    expect(n1?.history.map((point) => point.at)).to.deep.equal(Array.from({ length: LENGTH }, (_, index) => at - LENGTH + 1 + index));
  });

  it("parses a text once, and never takes an old sample for a new one", async () => {
    const [before] = await read();
    expect((await read())[0]?.sample).to.equal(before?.sample);
    at += 21;
    const [later] = await expectSame();
    expect(later).to.include({ sample: null, trouble: "its sample is 21 s old" });
  });

  it("takes a sample that is gone, broken or another node's for unknown, though it has seen a good one", async () => {
    await redis.del(keys.nodeSample("n1"));
    expect((await expectSame())[0]?.trouble).to.contain("no sample");
    await redis.set(keys.nodeSample("n1"), "{broken");
    expect((await expectSame())[0]?.trouble).to.contain("not JSON");
    await redis.set(keys.nodeSample("n1"), (await redis.get(keys.nodeSample("n2")))!);
    expect((await expectSame())[0]?.trouble).to.contain("speaks of n2");
  });

  it("knows of a silent node whether it was ever heard, until it is forgotten", async () => {
    const heard = async (from = memory) => (await read(from)).find(({ id }) => id === "n1")?.neverHeard !== true;
    expect(await heard()).to.equal(true);
    at += 21;
    expect(await heard()).to.equal(true);
    expect(await heard(makeNodeMemory())).to.equal(false);
    await redis.zrem(keys.nodes, "n1");
    await read();
    await redis.zadd(keys.nodes, 1, "n1");
    expect(await heard()).to.equal(false);
  });

  it("drops a node that was forgotten, and reads the history that it begins anew", async () => {
    await redis.zrem(keys.nodes, "n1");
    await redis.del(keys.nodeSample("n1"), keys.nodeHistory("n1"), keys.nodeIdentity("n1"));
    expect((await expectSame()).map(({ id }) => id)).to.deep.equal(["n2"]);
    await push(1);
    expect((await expectSame())[0]?.history).to.have.length(1);
  });

  it("reads a history anew that Redis has lost and begun again", async () => {
    await push(1);
    await redis.del(keys.nodeHistory("n1"));
    // As if the clock of Redis had been set back: ids below those already read.
    await redis.xadd(keys.nodeHistory("n1"), "1-1", "at", START + 1, "cpuRatio", "0.5", "memoryRatio", "");
    await redis.xadd(keys.nodeHistory("n1"), "1-2", "at", at, "cpuRatio", "", "memoryRatio", "0.5");
    const [n1] = await expectSame();
    expect(n1?.history).to.deep.equal([
      { at: START + 1, cpuRatio: 0.5, memoryRatio: null },
      { at, cpuRatio: null, memoryRatio: 0.5 },
    ]);
  });

  it("reads as far back as is wanted now", async () => {
    await push(12);
    await expectSame(15);
    await expectSame(4);
  });
});
