import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Registry } from "prom-client";
import { loadConfig } from "../../../platform/load-config.js";
import { makeLog } from "../../../platform/log.js";
import type { Answers, StatusAnswer } from "../../../scheduler/api-shapes.js";
import { type Scheduler, startScheduler } from "../../../scheduler/start-scheduler.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { runScheduler } from "../../support/running-scheduler.js";
import { waitFor } from "../../support/wait-for.js";

describe("new settings while the scheduler runs", () => {
  let folder: string;
  let file: string;
  let server: ThrowAwayRedis;
  let scheduler: Scheduler;
  let registry: Registry;

  const write = async (policies: unknown, more: Record<string, unknown> = {}) => {
    const config = {
      redis: { url: server.url },
      scheduler: { host: "127.0.0.1", port: 0, tickSeconds: 0.2, ...more },
      policies,
    };
    await writeFile(`${file}.new`, JSON.stringify(config, null, 2));
    await rename(`${file}.new`, file);
  };
  const ask = async <T>(path: string) => (await (await fetch(`http://127.0.0.1:${scheduler.port}/api/v1${path}`)).json()) as T;
  const policies = async () =>
    (await ask<{ policies: { overload: { holdSeconds: number }; cooldownSeconds: number } }>("/snapshot")).policies;
  const failures = async () => Number(/^evenkeel_config_reload_failures_total (\d+)$/m.exec(await registry.metrics())?.[1]);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "evenkeel-reload-"));
    file = join(folder, "config.json");
    server = await startRedis();
    await write({ cooldownSeconds: 100 });
    registry = new Registry();
    const log = makeLog("scheduler");
    log.level = "silent";
    const redis = server.connect(true);
    scheduler = await startScheduler({ config: loadConfig(file), configFile: file, redis, subscriber: server.connect(), registry, log });
  });
  afterEach(async () => {
    await scheduler.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("are in force soon after the file has changed, without a restart", async () => {
    expect((await policies()).cooldownSeconds).to.equal(100);
    await write({ cooldownSeconds: 200, overload: { holdSeconds: 30 } });
    await waitFor("the new settings", async () => (await policies()).cooldownSeconds === 200);
    expect((await policies()).overload.holdSeconds).to.equal(30);
    const { entries } = await waitFor("the audit to say so", async () => {
      const answer = await ask<Answers["audit"]>("/audit");
      return answer.entries.some(({ kind }) => kind === "config-reloaded") && answer;
    });
    expect(entries.filter(({ kind }) => kind === "config-refused")).to.deep.equal([]);
  });

  it("are told apart from those of a scheduler that stands by, until both have the same", async () => {
    const second = await runScheduler(server, { policies: { cooldownSeconds: 100 } });
    try {
      const differing = async () => (await ask<StatusAnswer>("/status")).schedulers.map(({ leads, differs }) => [leads, differs]);
      const other = async () => Number(/^evenkeel_schedulers\{settings="other"\} (\d+)$/m.exec(await registry.metrics())?.[1]);
      await waitFor("both to be heard", async () => (await differing()).length === 2);
      expect((await differing()).filter(([leads]) => leads)).to.have.length(1);
      expect((await differing()).some(([, differs]) => differs)).to.equal(false);
      await write({ cooldownSeconds: 200 });
      await waitFor(
        "the one that was forgotten to be named",
        async () => (await differing()).filter(([, differs]) => differs).length === 1,
      );
      await waitFor("it to be counted", async () => (await other()) === 1);
      await write({ overload: {}, cooldownSeconds: 100 });
      await waitFor("them to be alike again", async () => (await differing()).every(([, differs]) => !differs));
      await waitFor("it to be counted no more", async () => (await other()) === 0);
    } finally {
      await second.close();
    }
    expect((await ask<StatusAnswer>("/status")).schedulers, "one that has ended in order is gone at once").to.have.length(1);
  });

  it("are in force at once when it is asked to read them", async () => {
    await write({ cooldownSeconds: 300 });
    scheduler.reload();
    expect((await policies()).cooldownSeconds).to.equal(300);
  });

  it("are refused as a whole when one of them is wrong: named with its line, counted, noted, and the old ones stay", async () => {
    await write({ cooldownSeconds: 400, overload: { cpuDetectRatio: 8 } });
    scheduler.reload();
    expect(await policies()).to.include({ cooldownSeconds: 100 });
    const status = await ask<StatusAnswer>("/status");
    expect(status.policies.refused).to.contain("line 13, policies.overload.cpuDetectRatio:");
    // The look at the file's date may have come to it as well.
    expect(await failures()).to.be.at.least(1);
    const refused = await waitFor("the audit to say so", async () =>
      (await ask<Answers["audit"]>("/audit")).entries.find(({ kind }) => kind === "config-refused"),
    );
    expect(refused.detail).to.equal(status.policies.refused);

    await write({ cooldownSeconds: 400 });
    scheduler.reload();
    expect((await policies()).cooldownSeconds).to.equal(400);
    expect((await ask<StatusAnswer>("/status")).policies.refused).to.equal(null);
  });

  it("are not the defaults while the file is away, if only to be put back", async () => {
    await write({ cooldownSeconds: 400 }, { mode: "auto" });
    scheduler.reload();
    await rename(file, `${file}.aside`);
    scheduler.reload();
    expect((await ask<StatusAnswer>("/status")).policies.refused).to.equal(`${file} is gone`);
    expect((await ask<StatusAnswer>("/status")).mode).to.equal("auto");
    expect((await policies()).cooldownSeconds).to.equal(400);
    await rename(`${file}.aside`, file);
    scheduler.reload();
    expect((await ask<StatusAnswer>("/status")).policies.refused).to.equal(null);
  });

  it("may be the mode and the windows as well, refused with their line as any other", async () => {
    const status = () => ask<StatusAnswer>("/status");
    expect(await status()).to.deep.include({ mode: "observe", openWindows: [] });
    await write({ cooldownSeconds: 100 }, { mode: "auto", windows: [{ cron: "* * * * *", durationMinutes: 5, action: "no-moves" }] });
    scheduler.reload();
    expect((await status()).mode).to.equal("auto");
    expect((await status()).openWindows.map(({ action }) => action)).to.deep.equal(["no-moves"]);
    await write({ cooldownSeconds: 500 }, { mode: "approve", windows: [{ cron: "whenever", durationMinutes: 5, action: "no-moves" }] });
    scheduler.reload();
    expect((await status()).policies.refused).to.match(/line 11, scheduler\.windows\.0: "whenever" is not a cron expression/);
    expect((await status()).mode, "nothing of it").to.equal("auto");
    expect((await policies()).cooldownSeconds).to.equal(100);
  });

  it("are refused when nodes would be emptied that cannot be put to sleep before the next start", async () => {
    const refused = async () => (await ask<StatusAnswer>("/status")).policies.refused;
    await write({ consolidate: { enabled: true } });
    scheduler.reload();
    expect(await refused()).to.match(/line \d+, policies\.consolidate\.enabled: needs `scheduler\.power`/);
    const hook = { command: ["true"] };
    await write({ consolidate: { enabled: true } }, { power: { sleep: hook, wake: hook } });
    scheduler.reload();
    expect(await refused()).to.match(/policies\.consolidate\.enabled: `scheduler\.power` takes effect when the scheduler is started again/);
    await write({ cooldownSeconds: 100 });
    scheduler.reload();
    expect(await refused()).to.equal(null);
  });

  it("are refused when the file is no JSON any more", async () => {
    await writeFile(file, "{");
    scheduler.reload();
    expect((await policies()).cooldownSeconds).to.equal(100);
    expect((await ask<StatusAnswer>("/status")).policies.refused).to.contain("JSON");
  });
});
