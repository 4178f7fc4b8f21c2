import { performance } from "node:perf_hooks";
import type { Redis } from "ioredis";
import { EvenkeelError } from "../platform/errors.js";
import type { Keys } from "../platform/keys.js";
import { loadLua } from "../platform/redis.js";

const acquireScript = loadLua("scheduler/lua/lease-acquire.lua");
const renewScript = loadLua("scheduler/lua/lease-renew.lua");
const releaseScript = loadLua("scheduler/lua/lease-release.lua");

/** Who leads, as Redis says it. `holder` is null when nobody does. */
export interface LeaderInfo {
  readonly holder: string | null;
  readonly term: number;
  readonly url: string | null;
}

export interface LeaseOptions {
  /** Unique to this process's life: a restarted scheduler must not take itself for its predecessor. */
  readonly holder: string;
  /** Under which other schedulers reach this one's API. */
  readonly url: string;
  readonly leaseSeconds: number;
  /** Called when leadership is won (its term) or lost (null). */
  readonly onChange?: (term: number | null) => void;
  /** Called when Redis could not be asked. */
  readonly onError?: (error: unknown) => void;
}

export interface Leadership {
  /** The term under which this process may write, or null while another leads. Never past the lease, even if Redis is silent. */
  term(): number | null;
}

export interface Lease extends Leadership {
  /** Stops competing and gives the lease back. */
  close(): Promise<void>;
}

/** Competes for leadership until closed. A third of the lease between renewals leaves room for two that fail. */
export function holdLease(redis: Redis, keys: Keys, options: LeaseOptions): Lease {
  const leaseMilliseconds = options.leaseSeconds * 1000;
  let held: { term: number; until: number } | null = null;
  let announced: number | null = null;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let busy: Promise<void> = Promise.resolve();

  const term = () => (held !== null && performance.now() < held.until ? held.term : null);
  const announce = () => {
    const present = term();
    if (present === announced) return;
    announced = present;
    options.onChange?.(present);
  };
  const turn = async () => {
    // Counted from before the request: Redis counts from later, so we always stop believing first.
    const until = performance.now() + leaseMilliseconds;
    if (held !== null) {
      const renewed = await renewScript(redis, [keys.leader], [options.holder, held.term, leaseMilliseconds]);
      held = renewed === 1 ? { term: held.term, until } : null;
    } else {
      const reply = (await acquireScript(redis, [keys.leader], [options.holder, leaseMilliseconds, options.url])) as [number, number];
      if (reply[0] === 1) held = { term: reply[1], until };
    }
  };
  const loop = () => {
    busy = turn()
      .catch((error: unknown) => options.onError?.(error))
      .then(() => {
        announce();
        if (!closed) timer = setTimeout(loop, leaseMilliseconds / 3);
      });
  };
  loop();

  return {
    term,
    close: async () => {
      closed = true;
      clearTimeout(timer);
      await busy;
      clearTimeout(timer);
      const last = held;
      held = null;
      announce();
      if (last !== null) await releaseScript(redis, [keys.leader], [options.holder, last.term]);
    },
  };
}

/** For what a leader does outside Redis' scripts, which check it themselves. @throws FENCED when a newer leader exists. */
export async function assertTerm(redis: Redis, keys: Keys, term: number): Promise<void> {
  if (Number((await redis.hget(keys.leader, "term")) ?? 0) > term) throw new EvenkeelError("FENCED", `term ${term} is over`);
}

export async function readLeader(redis: Redis, keys: Keys): Promise<LeaderInfo> {
  const { holder = "", term = "0", expiresAt = "0", url = "" } = await redis.hgetall(keys.leader);
  const [seconds] = await redis.time();
  const lapsed = holder === "" || Number(expiresAt) <= Number(seconds) * 1000;
  return { holder: lapsed ? null : holder, term: Number(term), url: lapsed || url === "" ? null : url };
}
