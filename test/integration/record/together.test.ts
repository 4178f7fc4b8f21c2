import { expect } from "chai";
import fc from "fast-check";
import type { Redis } from "ioredis";
import { EvenkeelError } from "../../../platform/errors.js";
import { makeKeys } from "../../../platform/keys.js";
import {
  abortMigration,
  advanceMigration,
  claimMigration,
  commitMigration,
  createMigrations,
  listMigrations,
  type Stage,
} from "../../../platform/migration-record.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { aMigration, mustRead, open } from "./a-migration.js";

const NAMES = ["a", "b", "c"];

describe("Records of workloads that move as one", () => {
  const keys = makeKeys();
  let server: ThrowAwayRedis;
  let redis: Redis;

  before(async () => {
    server = await startRedis();
    redis = server.connect();
  });
  beforeEach(() => redis.flushall());
  after(() => server?.close());

  const openAll = () =>
    createMigrations(
      redis,
      keys,
      NAMES.map((id) => aMigration(id, { workload: id, name: id })),
      1,
      0,
    );
  const claim = async (id: string) => (await claimMigration(redis, keys, id, 2))!.epoch;
  const advance = (id: string, stage: Stage) => advanceMigration(redis, keys, 3, { id, epoch: 1, stage });
  const outcomes = () => Promise.all(NAMES.map(async (id) => (await mustRead(redis, keys, id)).outcome));
  const toRestore = async (id: string) => {
    await claim(id);
    await advance(id, "restore");
  };

  it("name each other", async () => {
    await openAll();
    for (const id of NAMES) expect((await mustRead(redis, keys, id)).members).to.deep.equal(NAMES);
    await open(redis, keys, "alone");
    expect((await mustRead(redis, keys, "alone")).members).to.deep.equal([]);
  });

  it("are not opened at all when one of the workloads is being moved already", async () => {
    await open(redis, keys, "earlier", { workload: "b" });
    const error = await openAll().catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(EvenkeelError);
    expect((error as EvenkeelError).code).to.equal("WORKLOAD_MIGRATING");
    expect((await listMigrations(redis, keys)).map(({ id }) => id)).to.deep.equal(["earlier"]);
  });

  it("commit at once, and no sooner than the last of them is whole", async () => {
    await openAll();
    for (const id of NAMES) await toRestore(id);
    const asked = ["a", "b"].map((id) => commitMigration(redis, keys, id, 1, 4));
    // Both have asked and wait: their records say so.
    while ((await Promise.all(["a", "b"].map((id) => redis.hget(keys.migration(id), "wholeUnder")))).some((whole) => whole !== "1"));
    expect(await outcomes()).to.deep.equal(["pending", "pending", "pending"]);
    expect(await commitMigration(redis, keys, "c", 1, 5)).to.equal(true);
    expect(await outcomes()).to.deep.equal(["committed", "committed", "committed"]);
    expect(await Promise.all(asked)).to.deep.equal([true, true]);
    for (const id of NAMES) expect(await redis.hget(keys.owners, id)).to.equal("node2");
  });

  it("are all refused when one is aborted while the others wait", async () => {
    await openAll();
    for (const id of NAMES) await toRestore(id);
    const asked = ["a", "b"].map((id) => commitMigration(redis, keys, id, 1, 4));
    expect(await abortMigration(redis, keys, "c", 5, "a test")).to.equal("aborted");
    expect(await Promise.all(asked)).to.deep.equal([false, false]);
    expect(await outcomes()).to.deep.equal(["aborted", "aborted", "aborted"]);
    expect(await commitMigration(redis, keys, "c", 1, 6)).to.equal(false);
  });

  it("do not count one as whole that another executor has taken up since", async () => {
    await openAll();
    for (const id of NAMES) await toRestore(id);
    const first = commitMigration(redis, keys, "a", 1, 4);
    while ((await redis.hget(keys.migration("a"), "wholeUnder")) !== "1");
    await claim("a");
    expect(await first).to.equal(false);
    const others = ["b", "c"].map((id) => commitMigration(redis, keys, id, 1, 5));
    await abortMigration(redis, keys, "a", 6, "a test");
    expect(await Promise.all(others)).to.deep.equal([false, false]);
  });

  it("all come to the same end, whoever asks for what in whatever order", async () => {
    const step = fc.record({
      kind: fc.constantFrom("restore", "restore", "commit", "commit", "abort", "claim"),
      id: fc.constantFrom(...NAMES),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), async (steps) => {
        await redis.flushall();
        await openAll();
        const epochs = new Map<string, number>();
        for (const id of NAMES) epochs.set(id, await claim(id));
        const waiting: Promise<unknown>[] = [];
        for (const { kind, id } of steps) {
          if (kind === "restore") await advance(id, "restore").catch(() => {});
          else if (kind === "commit") waiting.push(commitMigration(redis, keys, id, epochs.get(id)!, 4));
          else if (kind === "abort") await abortMigration(redis, keys, id, 5, "a test");
          else epochs.set(id, await claim(id));
          expect(new Set(await outcomes()).size).to.equal(1);
        }
        await abortMigration(redis, keys, "a", 6, "the end");
        await Promise.all(waiting);
        const [end, ...rest] = await outcomes();
        expect(end).to.not.equal("pending");
        expect(rest).to.deep.equal([end, end]);
      }),
      { numRuns: 60, seed: 7 },
    );
  });
});
