import { expect } from "chai";
import type { Redis } from "ioredis";
import type { Until } from "../../../executor/peer/incoming.js";
import { makeIncoming } from "../../../executor/peer/incoming.js";
import { type Keys, makeKeys } from "../../../platform/keys.js";
import { makeLog } from "../../../platform/log.js";
import {
  abortMigration,
  advanceMigration,
  claimMigration,
  closeMigration,
  commitMigration,
  STAGES,
} from "../../../platform/migration-record.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { mustRead, open } from "../record/a-migration.js";

describe("A source that speaks to a destination", () => {
  let server: ThrowAwayRedis;
  let redis: Redis;
  let keys: Keys;
  const log = makeLog("executor");
  log.level = "silent";

  beforeEach(async () => {
    server = await startRedis();
    redis = server.connect();
    keys = makeKeys();
    await open(redis, keys, "m-1");
  });
  afterEach(() => server.close());

  /** What it is told for each thing that it may want; "" = it is let in. */
  async function told(caller = "node1"): Promise<Record<Until, string>> {
    // Who is let in is decided by the record alone.
    const nothing = {} as never;
    const incoming = makeIncoming({
      node: "node2",
      runDirectory: "/nowhere",
      arrivals: nothing,
      engine: nothing,
      room: nothing,
      probe: nothing,
      redis,
      keys,
      log,
    });
    const words = async (until: Until) =>
      incoming.authorise("m-1", caller, until).then(
        () => "",
        ({ code }: { code: string }) => code,
      );
    return { pending: await words("pending"), open: await words("open"), ever: await words("ever") };
  }

  it("is let in as long as its migration is pending, and nobody else is", async () => {
    expect(await told()).to.deep.equal({ pending: "", open: "", ever: "" });
    expect(new Set(Object.values(await told("node3")))).to.deep.equal(new Set(["PEER_UNAUTHENTICATED"]));
  });

  it("makes no copy any more once its migration has been aborted", async () => {
    await abortMigration(redis, keys, "m-1", 2, "a test");
    expect(await told()).to.deep.equal({ pending: "FENCED", open: "", ever: "" });
  });

  it("has no say in the copy once that counts, but for its memory, and none at all once the record is closed", async () => {
    await claimMigration(redis, keys, "m-1", 2);
    const { epoch } = await mustRead(redis, keys, "m-1");
    for (const stage of STAGES.slice(1, STAGES.indexOf("restore") + 1)) await advanceMigration(redis, keys, 3, { id: "m-1", epoch, stage });
    expect(await commitMigration(redis, keys, "m-1", epoch, 4)).to.equal(true);
    expect(await told()).to.deep.equal({ pending: "FENCED", open: "", ever: "" });
    await closeMigration(redis, keys, await mustRead(redis, keys, "m-1"), 5, { result: "succeeded" });
    expect(await told()).to.deep.equal({ pending: "FENCED", open: "FENCED", ever: "" });
  });
});
