import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { projectPath } from "../../../platform/paths.js";
import type { SnapshotAnswer } from "../../../scheduler/api-shapes.js";
import type { Replay } from "../../../scheduler/record/replay.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { type ReportedFleet, reportFleet } from "../../support/reported-fleet.js";
import { type RunningScheduler, runScheduler } from "../../support/running-scheduler.js";
import { waitFor } from "../../support/wait-for.js";

describe("recording a fleet", () => {
  let server: ThrowAwayRedis;
  let scheduler: RunningScheduler;
  let fleet: ReportedFleet;
  let folder: string;
  let file: string;

  const run = (...args: string[]) =>
    new Promise<{ code: number; out: string; err: string }>((resolve) => {
      const env = { PATH: process.env["PATH"], EVENKEEL_URL: scheduler.url };
      execFile(projectPath("bin/evenkeel"), args, { env }, (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code), out, err });
      });
    });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "evenkeel-record-"));
    file = join(folder, "trace.jsonl");
    server = await startRedis();
    scheduler = await runScheduler(server, { policies: { overload: { holdSeconds: 4 } } });
    fleet = reportFleet(server.connect(), scheduler.keys, [
      {
        id: "n1",
        workloads: [
          { name: "web", cpuUsedCores: 2 },
          { name: "batch", cpuUsedCores: 1.6 },
        ],
      },
      { id: "n2", workloads: [] },
    ]);
    await fleet.pushPast(20);
    fleet.keepPushing();
  });
  afterEach(async () => {
    await fleet.stop();
    await scheduler.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("saves real snapshots, and a replay of them decides with the settings recorded or with others", async () => {
    const recorded = await run("record", file, "--seconds", "2", "--every", "0.5", "--json");
    expect([recorded.code, recorded.err]).to.deep.equal([0, ""]);
    const lines = (await readFile(file, "utf8"))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as SnapshotAnswer);
    expect((JSON.parse(recorded.out) as { snapshots: number }).snapshots)
      .to.equal(lines.length)
      .and.to.be.greaterThan(1);
    expect(lines[0]!.snapshot.workloads.map(({ name }) => name)).to.have.members(["web", "batch"]);
    expect((await stat(file)).mode & 0o777).to.equal(0o600);

    const replayed = await run("simulate", file, "--json");
    expect(replayed.code).to.equal(0);
    const { snapshots, moves } = JSON.parse(replayed.out) as Replay;
    expect(snapshots).to.equal(lines.length);
    expect(moves.map(({ from, to, reason }) => [from, to, reason])).to.deep.equal([["n1", "n2", "overload"]]);

    const calm = join(folder, "calm.json");
    await writeFile(calm, JSON.stringify({ policies: { overload: { enabled: false } } }));
    expect((JSON.parse((await run("simulate", file, "--config", calm, "--json")).out) as Replay).moves).to.deep.equal([]);
    expect((await run("simulate", file)).out).to.match(/1 move \(1 overload\)/);
  });

  it("keeps which networks there are: a replay sends nothing to where one is missing, and an older recording says nothing against it", async () => {
    for (const workload of fleet.node("n1").workloads) workload.networks = ["lan"];
    fleet.node("n1").networks = ["bridge", "lan"];
    fleet.node("n2").networks = ["bridge"];
    await waitFor("the networks to be seen", async () => {
      const { snapshot } = await scheduler.get<SnapshotAnswer>("/api/v1/snapshot");
      return snapshot.nodes[1]?.networks?.join() === "bridge" && snapshot.workloads.every(({ networks }) => networks?.join() === "lan");
    });
    await run("record", file, "--seconds", "2", "--every", "0.5");
    const moves = async (path: string) => (JSON.parse((await run("simulate", path, "--json")).out) as Replay).moves.map(({ to }) => to);
    expect(await moves(file)).to.deep.equal([]);
    const older = join(folder, "older.jsonl");
    await writeFile(older, (await readFile(file, "utf8")).replace(/,"networks":\[[^\]]*\]/g, ""));
    expect(await moves(older)).to.deep.equal(["n2"]);
    const single = join(folder, "fleet.json");
    await writeFile(single, (await run("snapshot")).out);
    const foreseen = await run("simulate", single, "--drain", "n1");
    expect(foreseen.out).to.match(/^web +n1 +target-without-network +n2 has no network lan, which it is attached to\.$/m);
  });

  it("adds to what is there already", async () => {
    await run("record", file, "--seconds", "0.1", "--every", "0.2");
    const first = await readFile(file, "utf8");
    await run("record", file, "--seconds", "0.1", "--every", "0.2");
    const both = await readFile(file, "utf8");
    expect(both.startsWith(first)).to.equal(true);
    expect(both.trimEnd().split("\n")).to.have.length(2);
  });

  it("is refused where nothing can be written, and a replay with a change or wrong settings too: exit code 2 and why", async () => {
    const nowhere = await run("record", join(folder, "missing", "trace.jsonl"));
    expect([nowhere.code, /ENOENT/.test(nowhere.err)]).to.deep.equal([2, true]);
    await run("record", file, "--seconds", "0.1");
    const changed = await run("simulate", file, "--drain", "n1");
    expect([changed.code, /need a snapshot/.test(changed.err)]).to.deep.equal([2, true]);
    const wrong = join(folder, "wrong.json");
    await writeFile(wrong, '{\n  "policies": {\n    "cooldownSeconds": -1\n  }\n}');
    const refused = await run("simulate", file, "--config", wrong);
    expect([refused.code, /line 3, policies.cooldownSeconds/.test(refused.err)]).to.deep.equal([2, true]);
  });

  it("exits 3 when there is no scheduler to record", async () => {
    expect((await run("record", file, "--url", "http://127.0.0.1:9")).code).to.equal(3);
  });
});
