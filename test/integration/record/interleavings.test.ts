import { expect } from "chai";
import fc from "fast-check";
import type { Redis } from "ioredis";
import { makeKeys } from "../../../platform/keys.js";
import {
  abortMigration,
  advanceMigration,
  claimMigration,
  closeMigration,
  commitMigration,
  createMigration,
  type MigrationRecord,
  revertMigration,
  STAGES,
  type Stage,
} from "../../../platform/migration-record.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { aMigration, mustRead, open } from "./a-migration.js";

/**
 * What the actors of one migration may ask of its record, in any order. `holder` 0 … 2 is an executor's process: it acts under the epoch it got
 * when it last claimed, which may long be stale, as that of a process that was thought dead.
 */
type Step =
  | { readonly kind: "claim" | "commit" | "revert"; readonly holder: number }
  | { readonly kind: "advance"; readonly holder: number; readonly stage: Stage }
  | { readonly kind: "abort" | "close" | "open another" };

const holder = fc.nat({ max: 2 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("claim" as const), holder }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("commit" as const, "revert" as const), holder }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("advance" as const), holder, stage: fc.constantFrom<Stage>("restore", "restore", ...STAGES) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("abort" as const, "close" as const, "open another" as const) }) },
);

describe("A migration's record, whatever is asked of it in whatever order,", () => {
  const keys = makeKeys();
  let server: ThrowAwayRedis;
  let redis: Redis;

  before(async () => {
    server = await startRedis();
    redis = server.connect();
  });
  after(() => server?.close());

  /** Plays the steps and calls `judge` after each with what the record was, what it is, and whether the step was granted. */
  async function play(steps: readonly Step[], judge: (seen: Seen) => void | Promise<void>): Promise<void> {
    await redis.flushall();
    await open(redis, keys, "m");
    const epochs = [0, 0, 0];
    for (const [index, each] of steps.entries()) {
      const before = await mustRead(redis, keys, "m");
      const epoch = "holder" in each ? epochs[each.holder]! : null;
      const granted = await take(each, epochs, index + 2);
      await judge({ step: each, epoch, granted, before, after: await mustRead(redis, keys, "m") });
    }
  }

  async function take(each: Step, epochs: number[], at: number): Promise<boolean> {
    switch (each.kind) {
      case "claim": {
        const record = await claimMigration(redis, keys, "m", at);
        if (record !== null) epochs[each.holder] = record.epoch;
        return record !== null;
      }
      case "advance":
        return advanceMigration(redis, keys, at, { id: "m", epoch: epochs[each.holder]!, stage: each.stage }).then(
          () => true,
          () => false,
        );
      case "commit":
        return commitMigration(redis, keys, "m", epochs[each.holder]!, at);
      case "revert":
        return revertMigration(redis, keys, "m", epochs[each.holder]!, at);
      case "abort":
        return (await abortMigration(redis, keys, "m", at, "a test")) === "aborted";
      case "close": {
        const record = await mustRead(redis, keys, "m");
        await closeMigration(redis, keys, record, at, { result: record.outcome === "committed" ? "succeeded" : "failed" });
        return (await mustRead(redis, keys, "m")).closedAt === at;
      }
      case "open another":
        return createMigration(redis, keys, aMigration(`other-${at}`), at, 0).then(
          () => true,
          () => false,
        );
    }
  }

  const holds = (judge: () => (seen: Seen) => void | Promise<void>) =>
    fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 24 }), (steps) => play(steps, judge())),
      { numRuns: 200 },
    );

  it("never tells one actor that the twin may run and another that the source may, unless the twin was given back between", () =>
    holds(() => {
      let mayRun: "twin" | "source" | null = null;
      return ({ step: { kind }, granted }) => {
        if (!granted) return;
        if (kind === "commit") {
          expect(mayRun).to.not.equal("source");
          mayRun = "twin";
        }
        if (kind === "abort") {
          expect(mayRun).to.not.equal("twin");
          mayRun = "source";
        }
        if (kind === "revert") {
          expect(mayRun).to.equal("twin");
          mayRun = "source";
        }
      };
    }));

  it("leaves `pending` once, goes from `committed` only back to the source, and never leaves `aborted`", () =>
    holds(() => ({ before, after }) => {
      if (before.outcome === after.outcome) return;
      expect([before.outcome, after.outcome].join(" -> ")).to.be.oneOf([
        "pending -> committed",
        "pending -> aborted",
        "committed -> aborted",
      ]);
    }));

  it("names the owner that the outcome says", () =>
    holds(() => async ({ after }) => {
      const owner = await redis.hget(keys.owners, "shop");
      if (after.outcome === "committed") expect(owner).to.equal("node2");
      else expect(owner).to.be.oneOf([null, "node1"]);
    }));

  it("refuses each step of a holder that another has superseded", () =>
    holds(() => ({ step: { kind }, epoch, granted, before, after }) => {
      expect(after.epoch).to.equal(before.epoch + (kind === "claim" && granted ? 1 : 0));
      if (kind !== "claim" && epoch !== null && epoch !== before.epoch) {
        expect(granted).to.equal(false);
        expect(after).to.deep.equal(before);
      }
    }));

  it("does not change once it is closed", () =>
    holds(() => ({ step: { kind }, before, after }) => {
      if (before.closedAt !== null) expect(after, kind).to.deep.equal(before);
    }));

  it("is never given back once the source may have destroyed its copy", () =>
    holds(() => {
      let told = false;
      return ({ step: asked, granted, before }) => {
        if (granted && asked.kind === "advance" && before.outcome === "committed" && asked.stage !== "restore") told = true;
        if (asked.kind === "revert" && told) expect(granted).to.equal(false);
      };
    }));

  it("is the workload's only open one", () =>
    holds(() => async ({ step: { kind }, granted, before }) => {
      expect(await redis.scard(keys.openMigrations))
        .to.equal(await redis.hlen(keys.openByWorkload))
        .and.be.at.most(1);
      if (kind === "open another" && before.closedAt === null) expect(granted).to.equal(false);
    }));

  it("has one winner when a commit and many aborts race over connections of their own", async () => {
    const connections = Array.from({ length: 6 }, () => server.connect());
    const tally = { committed: 0, aborted: 0 };
    for (let round = 0; round < 100; round++) {
      await redis.flushall();
      await open(redis, keys, "m");
      await claimMigration(redis, keys, "m", 2);
      await advanceMigration(redis, keys, 3, { id: "m", epoch: 1, stage: "restore" });
      const turn = round % connections.length;
      const replies = await Promise.all(
        connections.map(async (connection, index) => {
          if (index === turn) return (await commitMigration(connection, keys, "m", 1, 4)) ? "committed" : "aborted";
          return abortMigration(connection, keys, "m", 4, "a race");
        }),
      );
      expect(new Set(replies).size, replies.join(" ")).to.equal(1);
      tally[replies[0] as "committed" | "aborted"]++;
    }
    expect(tally.committed + tally.aborted).to.equal(100);
  });
});

interface Seen {
  readonly step: Step;
  /** The one the step was taken under; null when it needs none. */
  readonly epoch: number | null;
  readonly granted: boolean;
  readonly before: MigrationRecord;
  readonly after: MigrationRecord;
}
