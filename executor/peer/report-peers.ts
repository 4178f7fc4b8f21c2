import { setTimeout as delay } from "node:timers/promises";
import type { Redis } from "ioredis";
import { nowSeconds } from "../../platform/clock.js";
import type { Keys } from "../../platform/keys.js";
import type { Logger } from "../../platform/log.js";
import { type ExecutorReport, REPORT_SECONDS } from "../protocol.js";
import type { Peer } from "./client.js";
import type { CpuStanding } from "./compare-cpus.js";

/** Each executor tries so many others, the next by name, so that a fleet of any size asks each node only so often. */
const TRIED_PEERS = 3;
/** A node that has not reported for longer is left out: that it does not answer is known already. */
const RECENT_SECONDS = 60;

export interface PeerReports {
  close(): Promise<void>;
}

interface Options {
  readonly node: string;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly log: Logger;
  readonly reportSeconds?: number;
  connect(peer: string): Promise<Peer>;
  compareCpus(): Promise<CpuStanding>;
}

/**
 * Says in Redis that this executor lives, and which of its peers answer it: a node that nobody reaches can neither give nor take workloads. Also
 * whose running programs its CPU could not take over.
 */
export function reportPeers({ node, redis, keys, log, reportSeconds = REPORT_SECONDS, connect, compareCpus }: Options): PeerReports {
  const closing = new AbortController();
  let lostSince: number | null = null;

  const tryPeer = async (peer: string): Promise<boolean> => {
    try {
      const connection = await connect(peer);
      await connection.ping().finally(() => connection.close());
      return true;
    } catch (error) {
      log.debug({ peer, err: error }, "peer does not answer");
      return false;
    }
  };

  const report = async () => {
    const peers = await nextPeers(redis, keys, node);
    const answers = await Promise.all(peers.map(tryPeer));
    const reached = peers.filter((_, index) => answers[index]);
    const unreachable = peers.filter((_, index) => !answers[index]);
    lostSince = unreachable.length > 0 && reached.length === 0 ? (lostSince ?? nowSeconds()) : null;
    const cpus = await compareCpus().catch((error: unknown): CpuStanding => {
      log.warn({ err: error }, "this node's CPU could not be compared with others");
      return {};
    });
    const said: ExecutorReport = { at: nowSeconds(), lostSince, reached, unreachable, ...cpus };
    await redis.hset(keys.executors, node, JSON.stringify(said));
  };

  const life = (async () => {
    while (!closing.signal.aborted) {
      await report().catch((error: unknown) => log.warn({ err: error }, "the report on peers could not be made"));
      await delay(reportSeconds * 1000, undefined, { signal: closing.signal }).catch(() => {});
    }
  })();
  return {
    close: async () => {
      closing.abort();
      await life;
    },
  };
}

/** Those that come after this node by name, of all that have reported lately. */
async function nextPeers(redis: Redis, keys: Keys, node: string): Promise<string[]> {
  const recent = await redis.zrangebyscore(keys.nodes, nowSeconds() - RECENT_SECONDS, "+inf");
  const others = recent.filter((id) => id !== node).sort();
  const after = others.filter((id) => id > node);
  return [...after, ...others.filter((id) => id < node)].slice(0, TRIED_PEERS);
}
