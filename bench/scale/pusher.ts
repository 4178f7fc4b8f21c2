import type { Redis } from "ioredis";
import { pushSample } from "../../collector/push-sample.js";
import type { ExecutorReport } from "../../executor/protocol.js";
import { nowSeconds } from "../../platform/clock.js";
import { makeKeys } from "../../platform/keys.js";
import { connectRedis } from "../../platform/redis.js";
import type { PusherOrder, PusherReport } from "./pusher-messages.js";
import { type SimulatedNode, simulateFleet } from "./simulated-fleet.js";

/** How often the nodes whose turn has come are looked for: much finer than an interval, so that samples arrive spread out. */
const STEP_MILLISECONDS = 20;
const REPORT_MILLISECONDS = 1000;
const ENTRIES_AT_ONCE = 5000;

const keys = makeKeys();
const tell = (report: PusherReport) => void process.send?.(report);

// A process of its own: what the nodes' side costs is not the scheduler's.
process.once("message", (order: PusherOrder) => void play(order));

async function play(order: PusherOrder): Promise<void> {
  const redis = connectRedis({ url: order.redisUrl });
  const nodes = simulateFleet(order.nodes, order.workloads);
  await writePast(redis, nodes, order);
  await Promise.all(nodes.map((node) => pushSample(redis, keys, order, node.sample(nowSeconds(), 0), node.identity)));
  await redis.hset(keys.executors, ...nodes.flatMap(({ id }) => [id, executorReport(nowSeconds())]));
  tell({ kind: "ready" });

  let pushed: (readonly [number, number])[] = [];
  setInterval(() => {
    tell({ kind: "pushed", samples: pushed });
    pushed = [];
  }, REPORT_MILLISECONDS);
  const begun = nowSeconds();
  let done = 0;
  setInterval(() => {
    const due = Math.floor(((nowSeconds() - begun) / order.intervalSeconds) * nodes.length);
    for (; done < due; done++) {
      const at = nowSeconds();
      const sample = nodes[done % nodes.length]!.sample(at, 1 + Math.floor(done / nodes.length));
      void pushSample(redis, keys, order, sample, null).then(() => pushed.push([at, nowSeconds()]));
      void redis.hset(keys.executors, sample.node, executorReport(at));
    }
  }, STEP_MILLISECONDS);
}

/** Without an executor that is heard nothing would be planned for a node. */
function executorReport(at: number): string {
  return JSON.stringify({ at, lostSince: null, reached: [], unreachable: [] } satisfies ExecutorReport);
}

/** As many earlier readings as a node that has been up for long has in Redis. */
async function writePast(redis: Redis, nodes: readonly SimulatedNode[], order: PusherOrder): Promise<void> {
  const now = nowSeconds();
  let pipeline = redis.pipeline();
  for (const node of nodes) {
    for (let back = order.historyLength; back > 0; back--) {
      const point = { at: now - back * order.intervalSeconds, ...node.ratios() };
      pipeline.xadd(keys.nodeHistory(node.id), "MAXLEN", "~", order.historyLength, "*", ...Object.entries(point).flat());
      if (pipeline.length < ENTRIES_AT_ONCE) continue;
      await pipeline.exec();
      pipeline = redis.pipeline();
    }
  }
  await pipeline.exec();
}
