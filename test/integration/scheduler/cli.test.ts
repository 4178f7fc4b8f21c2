import { execFile, spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Redis } from "ioredis";
import { type Keys, makeKeys } from "../../../platform/keys.js";
import {
  abortMigration,
  advanceMigration,
  claimMigration,
  closeMigration,
  commitMigration,
  listMigrations,
  type MigrationRecord,
} from "../../../platform/migration-record.js";
import { projectPath } from "../../../platform/paths.js";
import type { NodeAnswer } from "../../../scheduler/api-shapes.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { type ReportedFleet, reportFleet } from "../../support/reported-fleet.js";
import { OPERATOR_TOKEN, type RunningScheduler, runScheduler } from "../../support/running-scheduler.js";
import { waitFor } from "../../support/wait-for.js";

const COMMAND = projectPath("bin/evenkeel");

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

describe("the command line", () => {
  let server: ThrowAwayRedis;
  let redis: Redis;
  let keys: Keys;
  let fleet: ReportedFleet;
  let scheduler: RunningScheduler;
  let folder: string;

  const environment = () => ({ PATH: process.env["PATH"], EVENKEEL_URL: scheduler.url, EVENKEEL_TOKEN: OPERATOR_TOKEN });
  const run = (args: string[], extra: Record<string, string> = {}) =>
    new Promise<Ended>((resolve) => {
      execFile(COMMAND, args, { env: { ...environment(), ...extra } }, (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code), out, err });
      });
    });
  /** A command that stays, and what it has said so far. */
  const follow = (args: string[]) => {
    let err = "";
    const ended = new Promise<Ended>((resolve) => {
      const child = execFile(COMMAND, args, { env: environment() }, (error, out) => {
        resolve({ code: error === null ? 0 : Number(error.code), out, err });
      });
      child.stderr?.on("data", (data: string) => {
        err += data;
      });
    });
    return { ended, err: () => err };
  };
  const json = async <T>(args: string[]) => JSON.parse((await run([...args, "--json"])).out) as T;
  const openMigration = () => waitFor("a migration", async () => (await listMigrations(redis, keys, 0))[0]);
  /** What an executor does to the record, without the container. */
  const finish = async (record: MigrationRecord) => {
    const at = () => Date.now() / 1000;
    const { epoch } = (await claimMigration(redis, keys, record.id, at()))!;
    const fields = { blackoutSeconds: 0.25, bytes: { memory: 1_048_576 }, modeUsed: "stopcopy" };
    await advanceMigration(redis, keys, at(), { id: record.id, epoch, stage: "restore", fields });
    expect(await commitMigration(redis, keys, record.id, epoch, at())).to.equal(true);
    const from = fleet.node(record.from);
    const moved = from.workloads.find(({ name }) => name === record.name)!;
    from.workloads = from.workloads.filter((workload) => workload !== moved);
    fleet.node(record.to).workloads.push(moved);
    await closeMigration(redis, keys, record, at(), { result: "succeeded" });
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "evenkeel-cli-"));
    server = await startRedis();
    redis = server.connect();
    keys = makeKeys();
    fleet = reportFleet(redis, keys, [
      { id: "n1", workloads: [{ name: "web" }, { name: "fixed", labels: { "io.evenkeel.mode": "never" } }] },
      { id: "n2", workloads: [{ name: "db" }] },
    ]);
    fleet.keepPushing();
    scheduler = await runScheduler(server);
    await waitFor("a plan", () => redis.get(keys.plan));
    await waitFor("both nodes", async () => (await scheduler.get<{ nodes: unknown[] }>("/api/v1/nodes")).nodes.length === 2);
  });
  afterEach(async () => {
    await fleet.stop();
    await scheduler.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("lists nodes and workloads as a table without colours, and as JSON", async () => {
    const nodes = await run(["nodes"]);
    expect(nodes).to.include({ code: 0, err: "" });
    expect(nodes.out)
      .to.match(/^NODE +STATE +CPU/)
      .and.to.match(/^n1 +level +\d+ %/m);
    expect(nodes.out).not.to.contain("\x1b");
    expect((await json<NodeAnswer[]>(["nodes"])).map(({ id }) => id)).to.deep.equal(["n1", "n2"]);
    expect((await run(["workloads", "--node", "n2"])).out)
      .to.match(/^db +[0-9a-f]{12} +n2 +0\.20 +256 MiB/m)
      .and.not.to.contain("web");
    expect((await run(["status"])).out).to.contain(`Leader ${scheduler.url}, term 1`);
  });

  it("explains the plan", async () => {
    await run(["drain", "n1"]);
    await waitFor("a skip", async () => (await run(["plan", "--explain"])).out.includes("workload-never"));
    const { out } = await run(["plan", "--explain"]);
    expect(out)
      .to.match(/^fixed +n1 +any +workload-never +Its label/m)
      .and.to.match(/^n1 +draining/m);
  });

  it("foresees a drain, live and offline on a saved snapshot, and changes nothing", async () => {
    const live = await run(["what-if", "--drain", "n1"]);
    expect(live.code).to.equal(0);
    expect(live.out)
      .to.match(/^web +n1 +n2 +maintenance/m)
      .and.to.match(/^fixed +n1 +workload-never/m);
    const file = join(folder, "snapshot.json");
    await writeFile(file, (await run(["snapshot"])).out);
    const offline = await json<{ moves: { workload: string; to: string }[] }>(["simulate", file, "--drain", "n1"]);
    expect(offline.moves.map(({ to }) => to)).to.deep.equal(["n2"]);
    const strict = join(folder, "strict.json");
    await writeFile(strict, JSON.stringify({ policies: { headroom: { memoryRatio: 0.01 } } }));
    expect(await json<{ moves: unknown[] }>(["simulate", file, "--drain", "n1", "--config", strict])).to.deep.include({ moves: [] });
    expect(await listMigrations(redis, keys)).to.deep.equal([]);
    expect(await run(["what-if", "--drain", "n9"])).to.include({ code: 4 });
    expect(await run(["what-if", "--lose", "zone-9"])).to.include({ code: 4 });
    expect((await run(["simulate", strict])).err).to.contain("is not what `evenkeel snapshot` prints");
  });

  it("migrates a workload and waits for its end, with the blackout", async () => {
    const waiting = run(["migrate", "web", "--to", "n2", "--wait"]);
    await finish(await openMigration());
    const ended = await waiting;
    expect(ended.code).to.equal(0);
    expect(ended.out).to.contain("web runs on n2: blackout 0.25 s, 1.0 MiB");
    expect(ended.err).to.contain("web n1 -> n2: ");
    const [record] = await json<MigrationRecord[]>(["migrations"]);
    expect(record).to.include({ name: "web", result: "succeeded" });
    const { out } = await run(["migrations", record!.id]);
    expect(out).to.match(/^restore +█+ +\d/m);
    expect(out).to.match(/^queued +░+ +\d/m);
  });

  it("shows how far a migration is while somebody waits for it or watches all, and ends with the last one", async () => {
    const { id, mode } = await json<MigrationRecord>(["migrate", "web", "--to", "n2", "--mode", "postcopy"]);
    expect(mode).to.equal("postcopy");
    const [all, one] = [follow(["migrations", "--watch"]), follow(["migrations", id, "--watch"])];
    const { epoch } = (await claimMigration(redis, keys, id, Date.now() / 1000))!;
    const progress = {
      doneBytes: 1 << 20,
      totalBytes: 4 << 20,
      bytesPerSecond: 1 << 20,
      dirtyBytesPerSecond: 3 << 10,
      etaSeconds: 3,
      round: 2,
    };
    await advanceMigration(redis, keys, Date.now() / 1000, { id, epoch, stage: "prepare", fields: { progress } });
    const said = "prepare, round 2, 1.0 MiB of 4.0 MiB, 1.0 MiB/s, 3.0 KiB/s changing, 3 s left";
    await waitFor("both to have told the progress", () => all.err().includes(said) && one.err().includes(said));
    await finish((await listMigrations(redis, keys, 0))[0]!);
    expect(await all.ended).to.include({ code: 0 });
    expect((await all.ended).out).to.match(/web +n1 +n2 +operator +succeeded/);
    expect(await one.ended).to.include({ code: 0 });
    expect((await one.ended).out).to.contain("web runs on n2: blackout 0.25 s");
  });

  it("exits 1 when the migration it waited for failed, and says where the workload is", async () => {
    const waiting = run(["migrate", "web", "--to", "n2", "--wait"]);
    const record = await openMigration();
    await abortMigration(redis, keys, record.id, 1, "test");
    await closeMigration(redis, keys, record, 1, { result: "failed", errorCode: "RESTORE_FAILED", errorMessage: "No luck." });
    const ended = await waiting;
    expect(ended.code).to.equal(1);
    expect(ended.out).to.contain("web: failed. No luck. It runs on n1.");
  });

  it("exits 5 when the time to wait is up, and the migration goes on", async () => {
    const ended = await run(["migrate", "web", "--to", "n2", "--wait", "--timeout", "1s"]);
    expect(ended.code).to.equal(5);
    expect((await openMigration()).closedAt).to.equal(null);
    expect((await run(["cancel", (await openMigration()).id])).out).to.contain("web goes on on n1");
  });

  it("drains a node and waits until it is empty, then takes it back", async () => {
    const waiting = run(["drain", "n2", "--reason", "new disk", "--wait"]);
    await finish(await openMigration());
    const ended = await waiting;
    expect(ended).to.include({ code: 0, out: "n2 is drained: nothing runs there.\n" });
    expect(ended.err).to.match(/^n2: [01] of 1 moved/m);
    expect((await run(["nodes"])).out).to.match(/^n2 +drained/m);
    expect(await run(["undrain", "n2"])).to.include({ code: 0, out: "n2 is in service.\n" });
  });

  it("exits 5 when a drain's deadline has passed, with what is left and why", async () => {
    const ended = await run(["drain", "n1", "--deadline", "1s", "--wait"]);
    expect(ended.code).to.equal(5);
    expect(ended.out)
      .to.contain("its deadline has passed")
      .and.to.match(/^fixed +blocked +Its label io\.evenkeel\.mode/m);
    expect(ended.out).to.match(/^web +moving/m);
    const late = await waitFor("the audit to say so", async () => /^.*drain-late.*$/m.exec((await run(["audit"])).out)?.[0]);
    expect(late).to.contain("the deadline has passed with 2 left").and.to.contain("fixed (workload-never)");
  });

  it("exits 4 when an undrained node is still asked for by a file on it", async () => {
    fleet.node("n2").maintenanceFile = "on site";
    await waitFor("the file to be seen", async () => (await run(["nodes"])).out.includes("draining"));
    const ended = await run(["undrain", "n2"]);
    expect(ended.code).to.equal(4);
    expect(ended.out).to.contain("a file still asks for it (on site)");
  });

  const wrong: [string, string[], Record<string, string>, number, string][] = [
    ["an unknown command", ["nodse"], {}, 2, "Did you mean nodes?"],
    ["a missing option", ["migrate", "web"], {}, 2, "--to"],
    ["a mode that nobody understands", ["migrate", "web", "--to", "n2", "--mode", "soon"], {}, 2, "mode"],
    ["a duration that is none", ["drain", "n1", "--deadline", "soon"], {}, 2, "not a duration"],
    ["an ambiguous or wrong limit", ["migrations", "--limit", "-3"], {}, 2, "limit"],
    ["an address that is none", ["nodes", "--url", "localhost"], {}, 2, "not an http(s) URL"],
    ["nobody at the address", ["nodes", "--url", "http://127.0.0.1:1"], {}, 3, "EVENKEEL_URL"],
    ["a wrong token", ["drain", "n1", "--token", "wrong"], {}, 4, "EVENKEEL_TOKEN"],
    ["no token", ["drain", "n1"], { EVENKEEL_TOKEN: "" }, 4, "no bearer token"],
    ["no such workload", ["migrate", "none", "--to", "n2"], {}, 4, "`evenkeel workloads` lists them"],
    ["a constraint in the way", ["migrate", "fixed", "--to", "n2"], {}, 4, "io.evenkeel.mode"],
  ];
  for (const [what, args, extra, code, hint] of wrong) {
    it(`exits ${code} on ${what}, with a hint`, async () => {
      const ended = await run(args, extra);
      expect([ended.code, ended.out]).to.deep.equal([code, ""]);
      expect(ended.err).to.contain(hint);
    });
  }

  it("gives errors as JSON under --json", async () => {
    const ended = await run(["migrate", "fixed", "--to", "n2", "--json"]);
    const { error } = JSON.parse(ended.err) as { error: { code: string; facts: { reason: string } } };
    expect([error.code, error.facts.reason]).to.deep.equal(["MOVE_REFUSED", "workload-never"]);
  });

  it("takes the token from a file", async () => {
    const file = join(folder, "token");
    await writeFile(file, `${OPERATOR_TOKEN}\n`);
    expect((await run(["undrain", "n1", "--token-file", file], { EVENKEEL_TOKEN: "wrong" })).code).to.equal(0);
    expect((await run(["undrain", "n1", "--token-file", `${file}-not`])).code).to.equal(2);
  });

  it("ends quietly when its reader has seen enough", async () => {
    const child = spawn("sh", ["-c", `"${COMMAND}" nodes --json | head -c 1`], { env: environment() });
    expect(await new Promise((resolve) => child.once("exit", resolve))).to.equal(0);
  });

  it("makes an authority and certificates that it has signed, readable by their owner only, and replaces nothing unasked", async () => {
    const dir = join(folder, "tls");
    expect((await run(["certs", "issue", "n1", "--dir", dir])).code).to.equal(2);
    expect((await run(["certs", "init", "--dir", dir])).code).to.equal(0);
    expect((await run(["certs", "issue", "n1", "--dir", dir])).code).to.equal(0);
    const read = async (name: string) => new X509Certificate(await import("node:fs/promises").then((fs) => fs.readFile(join(dir, name))));
    const certificate = await read("n1.pem");
    expect(certificate.verify((await read("ca.pem")).publicKey)).to.equal(true);
    expect(certificate.subject).to.equal("CN=n1");
    for (const name of ["ca.pem", "ca.key", "n1.pem", "n1.key"]) expect((await stat(join(dir, name))).mode & 0o777).to.equal(0o600);
    expect((await run(["certs", "issue", "n1", "--dir", dir])).code).to.equal(2);
    expect((await run(["certs", "issue", "../n1", "--dir", dir])).code).to.equal(2);
  });
});
