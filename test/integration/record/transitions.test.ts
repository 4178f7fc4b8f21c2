import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import type { Redis } from "ioredis";
import { EvenkeelError } from "../../../platform/errors.js";
import { makeKeys } from "../../../platform/keys.js";
import {
  abortMigration,
  advanceMigration,
  claimMigration,
  closeMigration,
  commitMigration,
  createMigration,
  listMigrations,
  noteProgress,
  readMigration,
  revertMigration,
  type Stage,
} from "../../../platform/migration-record.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { aMigration, mustRead, open } from "./a-migration.js";

describe("A migration's record", () => {
  const keys = makeKeys();
  let server: ThrowAwayRedis;
  let redis: Redis;

  before(async () => {
    server = await startRedis();
    redis = server.connect();
  });
  beforeEach(() => redis.flushall());
  after(() => server?.close());

  const codeOf = async (doing: Promise<unknown>): Promise<string> =>
    doing.then(
      () => "no error",
      (error: unknown) => (error instanceof EvenkeelError ? error.code : String(error)),
    );
  const claim = async (id: string) => (await claimMigration(redis, keys, id, 2))?.epoch;
  const advance = (id: string, epoch: number, stage: Stage, fields = {}) => advanceMigration(redis, keys, 3, { id, epoch, stage, fields });
  const close = async (id: string, result: "succeeded" | "failed" = "failed") =>
    closeMigration(redis, keys, await mustRead(redis, keys, id), 9, { result });
  const openAtRestore = async (id: string) => {
    await open(redis, keys, id);
    await claim(id);
    await advance(id, 1, "restore");
  };

  it("is taken for committed when its source has heard that the copy runs, though Redis has forgotten the commit", async () => {
    await openAtRestore("m1");
    await advance("m1", 1, "resume");
    expect(await mustRead(redis, keys, "m1")).to.include({ stage: "resume", outcome: "committed" });
    expect(await abortMigration(redis, keys, "m1", 5, "a test")).to.equal("committed");
    expect(await redis.hget(keys.owners, aMigration("m1").workload)).to.equal(aMigration("m1").to);
  });

  it("is not committed before its source has confirmed its images, and is as soon as it has", async () => {
    await open(redis, keys, "m1");
    await claim("m1");
    await advance("m1", 1, "restore", { unconfirmed: 1 });
    let answer: boolean | null = null;
    const committed = commitMigration(redis, keys, "m1", 1, 4).then((given) => {
      answer = given;
    });
    await delay(200);
    expect(answer).to.equal(null);
    expect((await mustRead(redis, keys, "m1")).outcome).to.equal("pending");
    await advance("m1", 1, "restore", { unconfirmed: null });
    await committed;
    expect(answer).to.equal(true);
  });

  it("is refused the commit when it is aborted while it waits for that", async () => {
    await open(redis, keys, "m1");
    await claim("m1");
    await advance("m1", 1, "restore", { unconfirmed: 1 });
    const committed = commitMigration(redis, keys, "m1", 1, 4);
    expect(await abortMigration(redis, keys, "m1", 5, "a test")).to.equal("aborted");
    expect(await committed).to.equal(false);
  });

  it("begins queued, pending, held by nobody", async () => {
    await open(redis, keys, "m1");
    expect(await mustRead(redis, keys, "m1")).to.deep.include({
      ...aMigration("m1"),
      stage: "queued",
      outcome: "pending",
      epoch: 0,
      closedAt: null,
      result: null,
      timeline: [{ stage: "queued", at: 1 }],
    });
  });

  it("is the only open one of its workload", async () => {
    await open(redis, keys, "m1");
    expect(await codeOf(open(redis, keys, "m2"))).to.equal("WORKLOAD_MIGRATING");
    expect(await readMigration(redis, keys, "m2")).to.equal(null);
    await open(redis, keys, "m3", { workload: "other" });
    await abortMigration(redis, keys, "m1", 2, "enough");
    expect(await codeOf(open(redis, keys, "m2"))).to.equal("WORKLOAD_MIGRATING");
    await close("m1");
    await open(redis, keys, "m2");
  });

  it("keeps what had been sent when each stage began", async () => {
    await open(redis, keys, "m1");
    await claim("m1");
    await advance("m1", 1, "preflight", { bytes: {} });
    await advance("m1", 1, "freeze", { bytes: { files: 7 } });
    expect((await mustRead(redis, keys, "m1")).timeline).to.deep.equal([
      { stage: "queued", at: 1 },
      { stage: "preflight", at: 3 },
      { stage: "freeze", at: 3, bytes: { files: 7 } },
    ]);
  });

  it("takes notes of progress for its present stage under its present epoch only, and none once it is closed", async () => {
    const note = (epoch: number, stage: Stage, doneBytes: number) =>
      noteProgress(redis, keys, 4, { id: "m1", epoch, stage, progress: { doneBytes }, bytes: { memory: doneBytes } });
    await open(redis, keys, "m1");
    await claim("m1");
    await advance("m1", 1, "transfer");
    await note(1, "transfer", 5);
    expect(await mustRead(redis, keys, "m1")).to.deep.include({ progress: { doneBytes: 5 }, bytes: { memory: 5 }, updatedAt: 4 });
    await note(1, "freeze", 6);
    await note(2, "transfer", 7);
    expect(await mustRead(redis, keys, "m1")).to.deep.include({ stage: "transfer", progress: { doneBytes: 5 }, bytes: { memory: 5 } });
    await abortMigration(redis, keys, "m1", 5, "enough");
    await close("m1");
    await note(1, "transfer", 8);
    expect(await mustRead(redis, keys, "m1")).to.deep.include({ bytes: { memory: 5 } });
    await noteProgress(redis, keys, 4, { id: "never", epoch: 1, stage: "transfer", progress: {}, bytes: {} });
    expect(await redis.exists(keys.migration("never"))).to.equal(0);
  });

  it("never takes the id of one that was there", async () => {
    await open(redis, keys, "m1");
    await abortMigration(redis, keys, "m1", 2, "enough");
    await close("m1");
    expect(await codeOf(open(redis, keys, "m1", { workload: "other" }))).to.equal("WORKLOAD_MIGRATING");
  });

  it("is not opened by a leader whose term is over", async () => {
    await redis.hset(keys.leader, "term", 5);
    expect(await codeOf(createMigration(redis, keys, aMigration("m1"), 1, 4))).to.equal("FENCED");
    await createMigration(redis, keys, aMigration("m1"), 1, 5);
  });

  it("obeys only the executor that claimed it last", async () => {
    await open(redis, keys, "m1");
    expect([await claim("m1"), await claim("m1")]).to.deep.equal([1, 2]);
    expect(await codeOf(advance("m1", 1, "preflight"))).to.equal("FENCED");
    await advance("m1", 2, "preflight");
    expect((await mustRead(redis, keys, "m1")).stage).to.equal("preflight");
  });

  it("keeps the order and time of its stages, and one entry for each", async () => {
    await open(redis, keys, "m1");
    await claim("m1");
    for (const stage of ["preflight", "preflight", "reserve"] as const) await advance("m1", 1, stage);
    expect((await mustRead(redis, keys, "m1")).timeline.map(({ stage }) => stage)).to.deep.equal(["queued", "preflight", "reserve"]);
  });

  it("holds the fields that a stage brings, numbers and objects alike", async () => {
    await open(redis, keys, "m1");
    await claim("m1");
    await advance("m1", 1, "prepare", { bytes: { files: 7 }, blackoutSeconds: 0.25, progress: { doneBytes: 3 } });
    expect(await mustRead(redis, keys, "m1")).to.deep.include({ bytes: { files: 7 }, blackoutSeconds: 0.25, progress: { doneBytes: 3 } });
    await advance("m1", 1, "freeze", { progress: null });
    expect((await mustRead(redis, keys, "m1")).progress).to.equal(null);
  });

  it("is committed in the restore only", async () => {
    await open(redis, keys, "m1");
    await claim("m1");
    for (const stage of ["preflight", "reserve", "prepare", "freeze", "transfer"] as const) {
      await advance("m1", 1, stage);
      expect(await commitMigration(redis, keys, "m1", 1, 4), stage).to.equal(false);
    }
    await advance("m1", 1, "restore");
    expect(await commitMigration(redis, keys, "m1", 1, 4)).to.equal(true);
    expect((await mustRead(redis, keys, "m1")).outcome).to.equal("committed");
  });

  it("names the new owner, and when it moved, with the commit", async () => {
    await openAtRestore("m1");
    await commitMigration(redis, keys, "m1", 1, 4);
    expect(await redis.hget(keys.owners, "shop")).to.equal("node2");
    expect(await redis.hget(keys.lastMoved, "shop")).to.equal("4");
  });

  it("answers a repeated commit as the first, and a stale one with no", async () => {
    await openAtRestore("m1");
    expect(await commitMigration(redis, keys, "m1", 0, 4)).to.equal(false);
    expect(await commitMigration(redis, keys, "m1", 1, 4)).to.equal(true);
    expect(await commitMigration(redis, keys, "m1", 1, 5)).to.equal(true);
    expect(await redis.hget(keys.lastMoved, "shop")).to.equal("4");
  });

  it("is not committed for an executor that was superseded while it restored", async () => {
    await openAtRestore("m1");
    await claim("m1");
    expect(await commitMigration(redis, keys, "m1", 1, 4)).to.equal(false);
  });

  it("is settled once: an abort before the commit stands, and so does a commit before the abort", async () => {
    await openAtRestore("m1");
    expect(await abortMigration(redis, keys, "m1", 4, "cancelled")).to.equal("aborted");
    expect(await commitMigration(redis, keys, "m1", 1, 4)).to.equal(false);
    await close("m1");
    await openAtRestore("m2");
    expect(await commitMigration(redis, keys, "m2", 1, 4)).to.equal(true);
    expect(await abortMigration(redis, keys, "m2", 4, "cancelled")).to.equal("committed");
  });

  it("lets an aborted one only be cleaned up", async () => {
    await open(redis, keys, "m1");
    await claim("m1");
    await abortMigration(redis, keys, "m1", 2, "cancelled");
    expect(await codeOf(advance("m1", 1, "reserve"))).to.equal("FENCED");
    await advance("m1", 1, "cleanup");
  });

  it("can be given back while the source has not been told, and not after", async () => {
    await openAtRestore("m1");
    await commitMigration(redis, keys, "m1", 1, 4);
    expect(await revertMigration(redis, keys, "m1", 1, 5)).to.equal(true);
    expect((await mustRead(redis, keys, "m1")).outcome).to.equal("aborted");
    expect(await redis.hget(keys.owners, "shop")).to.equal("node1");
    expect(await commitMigration(redis, keys, "m1", 1, 6)).to.equal(false);
    await close("m1");
    await openAtRestore("m2");
    await commitMigration(redis, keys, "m2", 1, 4);
    await advance("m2", 1, "resume");
    expect(await revertMigration(redis, keys, "m2", 1, 5)).to.equal(false);
  });

  it("cannot be given back once it is closed", async () => {
    await openAtRestore("m1");
    await commitMigration(redis, keys, "m1", 1, 4);
    await close("m1", "succeeded");
    expect(await revertMigration(redis, keys, "m1", 1, 10)).to.equal(false);
    expect((await mustRead(redis, keys, "m1")).outcome).to.equal("committed");
  });

  it("stays open until it is settled", async () => {
    await open(redis, keys, "m1");
    await close("m1");
    expect((await mustRead(redis, keys, "m1")).closedAt).to.equal(null);
    expect(await redis.smembers(keys.openMigrations)).to.deep.equal(["m1"]);
  });

  it("frees what it held when it closes, and closing it again changes nothing", async () => {
    await open(redis, keys, "m1");
    await redis.hset(keys.reservations("node2"), "m1", "{}");
    await abortMigration(redis, keys, "m1", 2, "cancelled");
    await close("m1");
    expect(await redis.exists(keys.openMigrations, keys.openByWorkload, keys.reservations("node2"))).to.equal(0);
    const before = await redis.hgetall(keys.migration("m1"));
    await close("m1", "succeeded");
    expect(await redis.hgetall(keys.migration("m1"))).to.deep.equal(before);
    expect(await claim("m1")).to.equal(undefined);
    expect(await codeOf(advance("m1", 0, "cleanup"))).to.equal("FENCED");
  });

  it("is unknown to those who come for one that never was", async () => {
    expect(await claim("m0")).to.equal(undefined);
    expect(await abortMigration(redis, keys, "m0", 2, "why not")).to.equal("gone");
    expect(await commitMigration(redis, keys, "m0", 0, 2)).to.equal(false);
    expect(await revertMigration(redis, keys, "m0", 0, 2)).to.equal(false);
    expect(await codeOf(advance("m0", 0, "preflight"))).to.equal("FENCED");
    expect(await redis.keys("*")).to.deep.equal([]);
  });

  it("is listed while it is open, and after that among the newest closed ones", async () => {
    for (const [index, id] of ["m1", "m2", "m3"].entries()) {
      await open(redis, keys, id, { workload: id });
      await redis.hset(keys.migration(id), "createdAt", index);
    }
    await abortMigration(redis, keys, "m1", 2, "cancelled");
    await close("m1");
    expect((await listMigrations(redis, keys)).map(({ id }) => id)).to.deep.equal(["m3", "m2", "m1"]);
    expect((await listMigrations(redis, keys, 0)).map(({ id }) => id)).to.deep.equal(["m3", "m2"]);
  });

  it("leaves a trace of each change in the audit and tells those who listen", async () => {
    const listener = server.connect();
    const told: string[] = [];
    await listener.subscribe(keys.events);
    listener.on("message", (_channel, text) => void told.push((JSON.parse(text) as { stage: string }).stage));
    await openAtRestore("m1");
    await commitMigration(redis, keys, "m1", 1, 4);
    await close("m1", "succeeded");
    await listener.ping();
    expect(told).to.deep.equal(["queued", "restore", "committed", "closed"]);
    const kinds = (await redis.xrange(keys.audit, "-", "+")).map(([, fields]) => fields[fields.indexOf("kind") + 1]);
    expect(kinds).to.deep.equal(["migration-opened", "stage", "committed", "migration-closed"]);
  });
});
