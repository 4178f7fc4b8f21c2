import { connect, type Socket } from "node:net";
import { expect } from "chai";
import type { Redis } from "ioredis";
import { type Keys, makeKeys } from "../../../platform/keys.js";
import type { NodeAnswer } from "../../../scheduler/api-shapes.js";
import { publishNote } from "../../../scheduler/notes.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { type RunningScheduler, runScheduler } from "../../support/running-scheduler.js";
import { waitFor } from "../../support/wait-for.js";

const NODES = 260;
const POINTS = 200;
/** More than the kernel holds for a connection on either side. */
const EVENTS = 1000;
const EVENT_BYTES = 100_000;

describe("what anybody may read", () => {
  let server: ThrowAwayRedis;
  let redis: Redis;
  let keys: Keys;
  let scheduler: RunningScheduler;
  let viewer: Socket | undefined;

  beforeEach(async () => {
    server = await startRedis();
    redis = server.connect();
    keys = makeKeys();
  });
  afterEach(async () => {
    viewer?.destroy();
    await scheduler.close();
    await server.close();
  });

  it("has of the histories no more points than the leader can afford, in a large fleet fewer of each node", async () => {
    const pipeline = redis.pipeline();
    for (let node = 0; node < NODES; node++) {
      pipeline.zadd(keys.nodes, 1, `n${node}`);
      for (let at = 0; at < POINTS; at++) pipeline.xadd(keys.nodeHistory(`n${node}`), "*", "at", at, "cpuRatio", 0.5, "memoryRatio", 0.5);
    }
    await pipeline.exec();
    scheduler = await runScheduler(server);
    const ask = async (history: number) => (await scheduler.get<{ nodes: NodeAnswer[] }>(`/api/v1/nodes?history=${history}`)).nodes;
    const lengths = new Set((await ask(POINTS)).map(({ history }) => history?.length));
    expect([...lengths]).to.deep.equal([Math.floor(50_000 / NODES)]);
    expect((await ask(POINTS))[0]?.history?.at(-1)?.at, "the newest").to.equal(POINTS - 1);
    expect(new Set((await ask(5)).map(({ history }) => history?.length))).to.deep.equal(new Set([5]));
    expect((await ask(0))[0]?.history).to.equal(undefined);
  });

  it("is not kept for a viewer of events that does not read them: it is let go, and others are served on", async () => {
    scheduler = await runScheduler(server);
    const { port } = scheduler;
    let received = 0;
    let isOver = false;
    viewer = connect(port, "127.0.0.1");
    viewer.on("data", (bytes) => {
      received += bytes.length;
    });
    viewer.on("close", () => {
      isOver = true;
    });
    viewer.on("error", () => {});
    viewer.write("GET /api/v1/events HTTP/1.1\r\nhost: test\r\n\r\n");
    await waitFor("the first event", () => received > 0);
    viewer.pause();
    for (let sent = 0; sent < EVENTS; sent++) await publishNote(redis, keys, { kind: "x".repeat(EVENT_BYTES) });
    // Told after all of those, so the scheduler has seen them: notes come in their order.
    const stopping = new AbortController();
    const other = await fetch(`${scheduler.url}/api/v1/events`, { signal: stopping.signal });
    expect(other.status).to.equal(200);
    stopping.abort();
    viewer.resume();
    await waitFor("the end of its events", () => isOver);
    expect(received).to.be.below((EVENTS * EVENT_BYTES) / 2);
  });
});
