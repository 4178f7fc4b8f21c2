import { expect } from "chai";
import type { Redis } from "ioredis";
import { type Keys, makeKeys } from "../../../platform/keys.js";
import { readAudit, recordAudit } from "../../../scheduler/audit.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { waitFor } from "../../support/wait-for.js";

/** More than are kept. */
const MANY = 25_000;

describe("the audit", () => {
  let server: ThrowAwayRedis;
  let redis: Redis;
  let keys: Keys;
  const note = (kind: string, at: number) => recordAudit(redis, keys, { at, kind, detail: "" }, 0);

  const milliseconds = async () => {
    const [seconds, microseconds] = await redis.time();
    return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  };

  beforeEach(async () => {
    server = await startRedis();
    redis = server.connect();
    keys = makeKeys();
  });
  afterEach(() => server.close());

  it("keeps what was asked for and done, however much the leader thinks afterwards, and bounds both", async () => {
    await note("maintenance-on", 1);
    await Promise.all(Array.from({ length: MANY }, (_, index) => note("verdict", 2 + index)));
    const done = (await readAudit(redis, keys, MANY)).filter(({ kind }) => kind === "maintenance-on");
    expect(done.map(({ at }) => at)).to.deep.equal([1]);
    for (const stream of [keys.audit, keys.auditThoughts]) expect(await redis.xlen(stream)).to.be.below(MANY / 2);
  });

  it("shows both together, newest first, each with an id of its own", async () => {
    for (let at = 0; at < 20; at++) {
      await note(at % 2 === 0 ? "verdict" : "migration-opened", at);
      const noted = await milliseconds();
      // Of one millisecond the order of the two streams is not known.
      await waitFor("the next millisecond", async () => (await milliseconds()) > noted, { everyMilliseconds: 1 });
    }
    const entries = await readAudit(redis, keys, 10);
    expect(entries.map(({ at }) => at)).to.deep.equal([19, 18, 17, 16, 15, 14, 13, 12, 11, 10]);
    expect(new Set(entries.map(({ id }) => id)).size).to.equal(10);
  });
});
