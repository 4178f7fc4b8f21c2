import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Redis } from "ioredis";
import type { Page } from "playwright-core";
import { type Keys, makeKeys } from "../../platform/keys.js";
import {
  advanceMigration,
  claimMigration,
  closeMigration,
  commitMigration,
  listMigrations,
  type MigrationRecord,
} from "../../platform/migration-record.js";
import { startRedis, type ThrowAwayRedis } from "../support/redis.js";
import { type ReportedFleet, reportFleet } from "../support/reported-fleet.js";
import { OPERATOR_TOKEN, type RunningScheduler, runScheduler } from "../support/running-scheduler.js";
import { waitFor } from "../support/wait-for.js";
import { type PageBrowser, START_MILLISECONDS, startBrowser } from "./support/browser.js";

const MAY_SLEEP = { "io.evenkeel.may-sleep": "true" };

describe("what an operator does on the live page", () => {
  let browser: PageBrowser | null = null;
  let folder: string;
  let server: ThrowAwayRedis;
  let redis: Redis;
  let keys: Keys;
  let fleet: ReportedFleet;
  let scheduler: RunningScheduler;
  let page: Page;
  let complaints: string[];

  /** A scheduler in mode approve whose hooks leave a file each, and its page. */
  const start = async (
    nodes: Parameters<typeof reportFleet>[2],
    policies: Record<string, unknown>,
    settings: Record<string, unknown> = {},
  ) => {
    fleet = reportFleet(redis, keys, nodes);
    await fleet.pushPast(30, 1);
    fleet.keepPushing();
    const hook = (what: string) => ({ command: ["touch", join(folder, `${what}-{node}`)] });
    const power = { sleep: hook("sleep"), wake: hook("wake"), deadlineSeconds: 60 };
    scheduler = await runScheduler(server, { scheduler: { mode: "approve", power, ...settings }, policies });
    await waitFor("the leader's plan", () => redis.get(keys.plan));
    page = await browser!.open(scheduler.url, complaints);
  };
  const confirm = async (button: string) => {
    await page.getByLabel("Operators' token").fill(OPERATOR_TOKEN);
    await page.getByRole("button", { name: button, exact: true }).click();
  };
  const dialogGone = () => page.getByRole("dialog").waitFor({ state: "detached" });
  const openMigration = () => waitFor("a migration", async () => (await listMigrations(redis, keys, 0))[0]);
  /** What executors do to the record and to where the container runs. */
  const finish = async (record: MigrationRecord) => {
    const now = Date.now() / 1000;
    const { epoch } = (await claimMigration(redis, keys, record.id, now))!;
    await advanceMigration(redis, keys, now, { id: record.id, epoch, stage: "restore", fields: { blackoutSeconds: 0.2 } });
    expect(await commitMigration(redis, keys, record.id, epoch, Date.now() / 1000)).to.equal(true);
    const from = fleet.node(record.from);
    const moved = from.workloads.find(({ name }) => name === record.name)!;
    from.workloads = from.workloads.filter((workload) => workload !== moved);
    fleet.node(record.to).workloads.push(moved);
    await closeMigration(redis, keys, record, Date.now() / 1000, { result: "succeeded" });
  };

  before(async function () {
    this.timeout(START_MILLISECONDS);
    browser = await startBrowser();
    if (browser === null) this.skip();
  });
  after(async () => {
    await browser?.close();
  });
  beforeEach(async () => {
    complaints = [];
    folder = await mkdtemp(join(tmpdir(), "evenkeel-page-"));
    server = await startRedis();
    redis = server.connect();
    keys = makeKeys();
  });
  afterEach(async () => {
    await page?.context().close();
    await fleet?.stop();
    await scheduler?.close();
    await server?.close();
    await rm(folder, { recursive: true, force: true });
    expect(complaints).to.deep.equal([]);
  });

  it("hears that a scheduler without a token takes none", async () => {
    await start([{ id: "n1", workloads: [] }], {}, { operatorToken: undefined });
    await page.getByRole("button", { name: "Drain n1" }).click();
    await confirm("Drain");
    await page.getByText("this scheduler has no scheduler.operatorToken, so it refuses every change").waitFor();
    expect(await page.getByRole("alert").textContent()).not.to.contain("EVENKEEL_TOKEN");
  });

  it("cordons a node with a reason, sees that it is, and uncordons it", async () => {
    await start(
      [
        { id: "n1", workloads: [{ name: "web" }] },
        { id: "n2", workloads: [] },
      ],
      {},
    );
    const card = page.getByTestId("node-n2");
    await page.getByRole("button", { name: "Cordon n2" }).click();
    await page.getByLabel("Reason").fill("odd noise");
    await confirm("Cordon");
    await dialogGone();
    await card.getByText("Cordoned (flag): odd noise").waitFor();
    expect(await card.getAttribute("data-state")).to.equal("level");
    await browser!.picture("cordoned", page);
    expect(JSON.parse((await redis.hget(keys.cordons, "n2"))!)).to.include({ reason: "odd noise" });
    await page.getByRole("button", { name: "Uncordon n2" }).click();
    await confirm("Uncordon");
    await dialogGone();
    await card.getByText("Cordoned (flag)").waitFor({ state: "detached" });
    expect(await redis.hlen(keys.cordons)).to.equal(0);
  });

  it("pauses the fleet with a reason, sees that it is, and resumes", async () => {
    await start([{ id: "n1", workloads: [{ name: "web" }] }], {});
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    await page.getByLabel("Reason").fill("new switches");
    await page.getByLabel("Operators' token").fill(OPERATOR_TOKEN);
    await page.getByRole("dialog").getByRole("button", { name: "Pause", exact: true }).click();
    await dialogGone();
    await page.getByText(/^Paused for .* \(new switches\): nothing is moved but what operators ask for\.$/).waitFor();
    expect(JSON.parse((await redis.get(keys.pause))!)).to.include({ reason: "new switches" });
    await page.getByRole("button", { name: "Resume", exact: true }).click();
    await page.getByLabel("Operators' token").fill(OPERATOR_TOKEN);
    await page.getByRole("dialog").getByRole("button", { name: "Resume", exact: true }).click();
    await dialogGone();
    await page.getByText("Paused for").waitFor({ state: "detached" });
    expect(await redis.exists(keys.pause)).to.equal(0);
  });

  it("returns a drained node to service and calls home what left it", async () => {
    await start(
      [
        { id: "n1", workloads: [{ name: "web" }] },
        { id: "n2", workloads: [] },
      ],
      {},
    );
    await page.getByRole("button", { name: "Drain n1" }).click();
    await confirm("Drain");
    await dialogGone();
    await finish(await openMigration());
    await page.locator('[data-testid="node-n1"][data-state="drained"]').waitFor();
    await page.getByRole("button", { name: "Return n1 to service" }).click();
    const choice = page.getByLabel("Bring home what left it for the drain (1 workload)");
    expect(await choice.isChecked()).to.equal(false);
    await choice.check();
    await browser!.picture("bring-home", page);
    await confirm("Return to service");
    await dialogGone();
    const record = await openMigration();
    expect(record).to.include({ name: "web", from: "n2", to: "n1", reason: "homecoming" });
  });

  it("returns it without calling anything home unless that is asked", async () => {
    await start(
      [
        { id: "n1", workloads: [{ name: "web" }] },
        { id: "n2", workloads: [] },
      ],
      {},
    );
    await redis.hset(keys.maintenance, "n1", "new disk");
    await finish(await openMigration());
    await page.locator('[data-testid="node-n1"][data-state="drained"]').waitFor();
    await page.getByRole("button", { name: "Return n1 to service" }).click();
    await confirm("Return to service");
    await dialogGone();
    await page.locator('[data-testid="node-n1"][data-state="level"]').waitFor();
    expect(await redis.hlen(keys.homecomings)).to.equal(0);
    expect(await listMigrations(redis, keys, 0)).to.deep.equal([]);
  });

  it("approves one of several planned moves, and leaves the others held back", async () => {
    await start(
      [
        // None is as full as another: which goes where is the same in every plan.
        { id: "n1", workloads: ["a", "b", "c"].map((name) => ({ name, cpuUsedCores: 1.25 })) },
        { id: "n2", workloads: ["d", "e", "f"].map((name) => ({ name, cpuUsedCores: 1.2 })) },
        { id: "n3", workloads: [] },
        { id: "n4", workloads: [], otherCpuCores: 0.3 },
      ],
      { overload: { holdSeconds: 2, settleSeconds: 0 } },
    );
    const one = page.getByRole("button", { name: /^Make the move of \w to / });
    await page.getByRole("button", { name: "Make these 2 moves …" }).waitFor();
    expect(await one.count()).to.equal(2);
    const label = (await one.first().getAttribute("aria-label"))!;
    const [, name, to] = /^Make the move of (\w) to (\w+)$/.exec(label)!;
    const expected =
      "Expected by its size and the link: stopcopy, 256 MiB (its files unknown, how fast it writes memory unknown), 3.18 s, blackout 3.18 s; by other modes precopy 0.60 s, but changes of its memory are not measured";
    expect(await page.getByText(expected).count()).to.equal(2);
    await browser!.picture("approve-one", page);
    await page.getByRole("button", { name: label, exact: true }).click();
    await confirm("Make it");
    await dialogGone();
    const records = await waitFor("the move", async () => {
      const open = await listMigrations(redis, keys, 0);
      return open.length > 0 && open;
    });
    expect(records.map((record) => `${record.name} ${record.to}`)).to.deep.equal([`${name} ${to}`]);
  });

  it("puts one of the nodes to sleep that may, when that is approved, and no other", async () => {
    await start(
      [
        { id: "n1", workloads: [{ name: "web" }] },
        { id: "n2", workloads: [{ name: "db" }] },
        { id: "n3", workloads: [], labels: MAY_SLEEP },
        { id: "n4", workloads: [], labels: MAY_SLEEP },
      ],
      { overload: { holdSeconds: 2, settleSeconds: 0 }, consolidate: { enabled: true, leadSeconds: 1, awakeSeconds: 0 } },
    );
    const button = page.getByRole("button", { name: "Put n4 to sleep" });
    await button.waitFor();
    await browser!.picture("approve-sleep", page);
    expect(await readdir(folder)).to.deep.equal([]);
    await button.click();
    await confirm("Put to sleep");
    await dialogGone();
    await waitFor("the hook", async () => (await readdir(folder)).includes("sleep-n4"));
    await page.locator('[data-testid="node-n4"][data-state="asleep"]').waitFor();
    // The plan goes on to the next, which waits for its own yes.
    await page.getByRole("button", { name: "Put n3 to sleep" }).waitFor();
    expect(await readdir(folder)).to.deep.equal(["sleep-n4"]);
  });
});
