import { expect } from "chai";
import type { Redis } from "ioredis";
import type { BrowserContextOptions, Page } from "playwright-core";
import { type Keys, makeKeys } from "../../platform/keys.js";
import {
  advanceMigration,
  claimMigration,
  closeMigration,
  commitMigration,
  createMigration,
  listMigrations,
  type MigrationRecord,
  type Stage,
} from "../../platform/migration-record.js";
import { startRedis, type ThrowAwayRedis } from "../support/redis.js";
import { containerIdOf, type ReportedFleet, reportFleet } from "../support/reported-fleet.js";
import { OPERATOR_TOKEN, type RunningScheduler, runScheduler } from "../support/running-scheduler.js";
import { waitFor } from "../support/wait-for.js";
import { type PageBrowser, START_MILLISECONDS, startBrowser } from "./support/browser.js";

describe("the live page", () => {
  let browser: PageBrowser | null = null;
  let server: ThrowAwayRedis;
  let redis: Redis;
  let keys: Keys;
  let fleet: ReportedFleet;
  let scheduler: RunningScheduler;
  let page: Page;
  const complaints: string[] = [];

  const open = (options: BrowserContextOptions = {}) => browser!.open(scheduler.url, complaints, options);
  const picture = (name: string, of: Page = page) => browser!.picture(name, of);
  const step = async (record: MigrationRecord, epoch: number, stage: Stage, fields: Record<string, string | number | object | null> = {}) =>
    advanceMigration(redis, keys, Date.now() / 1000, { id: record.id, epoch, stage, fields });
  const stateOf = (id: string) => page.getByTestId(`node-${id}`).getAttribute("data-state");

  before(async function () {
    this.timeout(START_MILLISECONDS);
    browser = await startBrowser();
    if (browser === null) this.skip();
  });
  after(async () => {
    await browser?.close();
  });
  beforeEach(async () => {
    complaints.length = 0;
    server = await startRedis();
    redis = server.connect();
    keys = makeKeys();
    fleet = reportFleet(redis, keys, [
      {
        id: "n1",
        workloads: [
          { name: "shop-redis", cpuUsedCores: 0.4 },
          { name: "shop-web", cpuUsedCores: 0.9, memoryUsedBytes: 6e8 },
          { name: "license-dongle", labels: { "io.evenkeel.mode": "never" } },
        ],
      },
      { id: "n2", workloads: [{ name: "reports", cpuUsedCores: 0.3, memoryUsedBytes: 2e9 }] },
      { id: "n3", workloads: [] },
    ]);
    await fleet.pushPast(600, 10);
    fleet.keepPushing();
    scheduler = await runScheduler(server);
    await waitFor("the leader's plan", () => redis.get(keys.plan));
    page = await open();
  });
  afterEach(async () => {
    await page?.context().close();
    await fleet?.stop();
    await scheduler?.close();
    await server?.close();
  });

  it("shows nodes, their load and history, and the workloads on them", async () => {
    const n1 = page.getByTestId("node-n1");
    await waitFor("the state", async () => (await stateOf("n1")) === "level");
    expect(await n1.getByRole("meter", { name: "CPU" }).getAttribute("aria-valuenow")).to.equal("40");
    expect(await n1.locator(".uplot canvas").count()).to.equal(1);
    const chips = await n1.locator("[data-workload] .chip-name").allTextContents();
    expect(chips).to.have.members(["shop-redis", "shop-web", "license-dongle fixed"]);
    expect(await page.getByTestId("node-n3").textContent()).to.contain("nothing runs here");
    expect(await page.getByTestId("connection").textContent()).to.equal("live");
    await picture("fleet-light");
    expect(complaints).to.deep.equal([]);
  });

  it("drains a node with the operators' token, and shows the move from its line to its blackout", async () => {
    await page.getByRole("button", { name: "Drain n1" }).click();
    await page.getByLabel("Reason").fill("new disk");
    await page.getByLabel("Operators' token").fill("wrong-token");
    await page.getByRole("button", { name: "Drain", exact: true }).click();
    await page.getByText("the bearer token is wrong").waitFor();
    await picture("dialog-refused");
    await page.getByLabel("Operators' token").fill(OPERATOR_TOKEN);
    await page.getByRole("button", { name: "Drain", exact: true }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(await page.evaluate("Object.values(sessionStorage)")).to.deep.equal([OPERATOR_TOKEN]);
    await waitFor("draining", async () => (await stateOf("n1")) === "draining");
    await page.getByText("Maintenance (flag): new disk").waitFor();

    const record = await waitFor("a move", async () => (await listMigrations(redis, keys, 0))[0]);
    await page.locator(`[data-flight="${record.workload}"]`).waitFor();
    const { epoch } = (await claimMigration(redis, keys, record.id, Date.now() / 1000))!;
    await step(record, epoch, "preflight");
    await step(record, epoch, "prepare", {
      progress: { doneBytes: 150e6, totalBytes: 300e6, bytesPerSecond: 60e6, etaSeconds: 2.5 },
      modeUsed: "stopcopy",
    });
    await page.locator(".ghost", { hasText: "prepare" }).locator("progress").waitFor();
    await page.getByTestId(`migration-${record.id}`).getByText("143 MiB of 286 MiB, 57.2 MiB/s, 2.50 s left").waitFor();
    await picture("move-under-way");
    await step(record, epoch, "freeze");
    await step(record, epoch, "restore", { blackoutSeconds: 0.21, bytes: { memory: 300e6 }, progress: null });
    expect(await commitMigration(redis, keys, record.id, epoch, Date.now() / 1000)).to.equal(true);
    await step(record, epoch, "cleanup");
    const moved = fleet.node("n1").workloads.find(({ name }) => name === record.name)!;
    fleet.node("n1").workloads = fleet.node("n1").workloads.filter((workload) => workload !== moved);
    fleet.node(record.to).workloads.push(moved);
    await closeMigration(redis, keys, record, Date.now() / 1000, { result: "succeeded" });

    const entry = page.getByTestId(`migration-${record.id}`);
    await entry.getByText("succeeded").waitFor();
    expect(await entry.textContent())
      .to.contain("blackout 0.21 s")
      .and.to.contain("286 MiB");
    expect(await entry.getByRole("img").getAttribute("aria-label")).to.match(/queued .*prepare .*freeze .*restore .*cleanup/);
    await page.getByTestId(`node-${record.to}`).locator(`[data-workload="${record.workload}"]`).waitFor();
    await page
      .getByRole("status")
      .getByText(/runs on|is being moved/)
      .waitFor({ state: "attached" });
    await picture("move-done");
    expect(complaints).to.deep.equal([]);
  });

  it("draws a migration's stages to scale, marks when its workload stood still, and says what each stage sent", async () => {
    const begun = Date.now() / 1000 - 60;
    const wanted = {
      id: "m1",
      workload: containerIdOf("reports"),
      name: "reports",
      containerId: containerIdOf("reports"),
      from: "n2",
      to: "n3",
    };
    await createMigration(redis, keys, { ...wanted, reason: "operator", because: "asked for", mode: "auto" }, begun, 0);
    const record = (await claimMigration(redis, keys, "m1", begun))!;
    const reach = (stage: Stage, after: number, fields: Record<string, string | number | object | null> = {}) =>
      advanceMigration(redis, keys, begun + after, { id: "m1", epoch: record.epoch, stage, fields });
    await reach("preflight", 0.2, { modeUsed: "stopcopy", predictedBlackoutSeconds: 0.7 });
    await reach("prepare", 0.6);
    await reach("freeze", 2.4, { bytes: { files: 24e6 } });
    await reach("transfer", 2.75, { bytes: { files: 24e6 } });
    await reach("restore", 3, { bytes: { files: 25e6, memory: 300e6 } });
    expect(await commitMigration(redis, keys, "m1", record.epoch, begun + 3.2)).to.equal(true);
    const restoreSteps = { images: 0.05, namespace: 0.09, start: 0.15, "post-restore": 0.21, commit: 0.24, "post-resume": 0.25, exit: 0.3 };
    await reach("resume", 3.3, { blackoutSeconds: 0.8, restoreSteps, bytes: { files: 25e6, memory: 300e6 } });
    await reach("cleanup", 3.32, { bytes: { files: 25e6, memory: 300e6 } });
    await closeMigration(redis, keys, record, begun + 4, { result: "succeeded" });

    const entry = page.getByTestId("migration-m1");
    await entry.getByText("stood still for 0.80 s, 0.70 s expected").waitFor();
    const bar = (await entry.locator(".timeline").boundingBox())!;
    const place = async (of: string) => {
      const box = (await entry.locator(of).first().boundingBox())!;
      return { from: (box.x - bar.x) / bar.width, share: box.width / bar.width };
    };
    const still = await place(".still");
    expect(still.from).to.be.closeTo(2.5 / 4, 0.01);
    expect(still.share).to.be.closeTo(0.8 / 4, 0.01);
    expect((await place(".part.stopped")).from).to.be.closeTo(2.4 / 4, 0.01);

    await entry.getByText("Stages").click();
    const row = async (stage: string) => entry.getByRole("row").filter({ hasText: stage }).getByRole("cell").allTextContents();
    expect((await row("prepare")).map((text) => text.trim())).to.deep.equal(["prepare", "0.60 s", "1.80 s", "22.9 MiB files"]);
    expect((await row("transfer")).at(-1)).to.equal("977 KiB files, 286 MiB memory");
    expect(await entry.locator(".closer").getAttribute("aria-label")).to.equal(
      "freeze, save 250 ms, send 250 ms, images in place 50 ms, namespaces 40 ms, network 60 ms, sockets, memory 60 ms, proof, commit 30 ms, resume 10 ms",
    );
    await picture("timeline");
    expect(complaints).to.deep.equal([]);
  });

  it("says why a workload is not moved", async () => {
    await redis.hset(keys.maintenance, "n1", "new disk");
    const row = page.getByRole("row").filter({ hasText: "license-dongle" });
    await row.first().waitFor();
    expect(await row.first().textContent())
      .to.contain("workload-never")
      .and.to.contain("io.evenkeel.mode forbids moves");
  });

  it("shows a silent node as unknown, not as an idle one", async () => {
    await fleet.stop();
    await redis.del(keys.nodeSample("n2"));
    await waitFor("unknown", async () => (await stateOf("n2")) === "unknown");
    const meter = page.getByTestId("node-n2").getByRole("meter", { name: "CPU" });
    expect(await meter.getAttribute("aria-valuetext")).to.equal("unknown");
    expect(await meter.getAttribute("aria-valuenow")).to.equal(null);
    await picture("node-unknown");
  });

  it("does not pass off the load of a silent node's past as that of the last minutes", async () => {
    const past = Date.now() / 1000 - 300;
    const asleep = reportFleet(redis, keys, [{ id: "n4", workloads: [{ name: "sleeper" }] }]);
    for (const at of [0, 5, 10, 130, 135, 140]) await asleep.push(past + at);
    await redis.del(keys.nodeSample("n4"));
    const chart = page.getByTestId("node-n4").locator(".history");
    await chart.getByText(/^2 min 20 s until \d+ min \d+ s ago/).waitFor();
    expect(await chart.getByRole("img").getAttribute("aria-label")).to.match(
      /^n4: CPU and memory of 2 min 20 s until \d+ min \d+ s ago, CPU at most 8 %$/,
    );
    expect(await page.getByTestId("node-n1").locator(".history").textContent()).to.contain("last ");
    await picture("node-silent");
    expect(complaints).to.deep.equal([]);
  });

  it("says that it is not live while the scheduler is away, keeps the last picture, and comes back by itself", async () => {
    const port = scheduler.port;
    await scheduler.close();
    await page.locator('[data-connection="stale"]').waitFor();
    // A question that was under way may be missed first.
    await page.getByRole("alert").filter({ hasText: "has not been heard for" }).waitFor();
    expect(await page.getByTestId("node-n1").count()).to.equal(1);
    await picture("stale");
    scheduler = await runScheduler(server, { scheduler: { port } });
    await page.locator('[data-connection="live"]').waitFor();
  });

  it("does not say that it is live while events come and readings do not, and reads again by itself", async () => {
    let questions = 0;
    await page.route("**/api/v1/nodes*", () => void questions++);
    await page.locator('[data-connection="stale"]').waitFor();
    await page.getByRole("alert").filter({ hasText: "has not answered for" }).waitFor();
    await waitFor("the first question to be given up", () => questions > 1);
    await page.unroute("**/api/v1/nodes*");
    await page.locator('[data-connection="live"]').waitFor();
  });

  it("says before it has read that it is reading, not that there is nothing", async () => {
    const early = await page.context().newPage();
    process.kill(server.pid, "SIGSTOP");
    try {
      await early.goto(scheduler.url);
      await early.getByText("reading …").nth(2).waitFor();
      expect(await early.getByTestId("connection").textContent()).to.equal("connecting …");
      expect(await early.getByText(/Nothing has been moved yet|There is no plan yet|No node has reported yet/).count()).to.equal(0);
      await picture("reading", early);
    } finally {
      process.kill(server.pid, "SIGCONT");
    }
    await early.getByTestId("node-n1").waitFor();
    await early.getByText("Nothing has been moved yet.").waitFor();
    expect(await early.getByText("reading …").count()).to.equal(0);
  });

  it("leaves the browser's few connections to the tab that is looked at, and goes on where it is looked at again", async () => {
    // Of several tabs a browser without a window hides none.
    const turn = (tab: Page, state: "hidden" | "visible") =>
      tab.evaluate(
        `Object.defineProperty(document, "visibilityState", { value: "${state}", configurable: true }); document.dispatchEvent(new Event("visibilitychange"))`,
      );
    let last = page;
    for (let opened = 1; opened < 8; opened++) {
      await turn(last, "hidden");
      last = await page.context().newPage();
      await last.goto(scheduler.url);
      await last.getByTestId("node-n1").waitFor();
    }
    await redis.hset(keys.maintenance, "n2", "new disk");
    await last.getByText("Maintenance (flag): new disk").waitFor();
    expect(await page.getByText("Maintenance (flag): new disk").count()).to.equal(0);
    await turn(page, "visible");
    await page.getByText("Maintenance (flag): new disk").waitFor();
    await page.locator('[data-connection="live"]').waitFor();
  });

  it("can be worked by keyboard alone", async () => {
    const focused = () => page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent");
    for (let presses = 0; (await focused()) !== "Drain n2"; presses++) {
      expect(presses).to.be.lessThan(20);
      await page.keyboard.press("Tab");
    }
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(await focused()).to.equal("Drain n2");
  });

  it("fits a small screen and the dark", async () => {
    const labels = { "io.evenkeel.workload": "twin" };
    fleet.node("n2").workloads.push({ name: "twin", labels });
    fleet.node("n3").workloads.push({ name: "twin", labels });
    const small = await open({ viewport: { width: 360, height: 740 }, colorScheme: "dark" });
    await small.getByText("runs on n2 and n3 at once").nth(1).waitFor();
    const width = await small.evaluate<number>("document.documentElement.scrollWidth");
    expect(width).to.be.at.most(360);
    await picture("small-dark", small);
    const wide = await open({ colorScheme: "dark" });
    await redis.hset(keys.maintenance, "n1", JSON.stringify({ since: 1, deadline: 2, reason: "late" }));
    await wide
      .locator(`[data-flight="${containerIdOf("shop-redis")}"], [data-flight="${containerIdOf("shop-web")}"]`)
      .first()
      .waitFor();
    await picture("moves-dark", wide);
    await picture("small-move", small);
    await small.context().close();
    await wide.context().close();
  });
});
