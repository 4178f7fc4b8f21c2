import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { type LabContainer, WORKLOADS } from "../../../lab/workloads/workload-table.js";
import { nowSeconds } from "../../../platform/clock.js";
import { abortMigration, type MigrationRecord, readMigration } from "../../../platform/migration-record.js";
import { settleLostSources } from "../../../scheduler/act/settle-lost.js";
import { waitFor } from "../../support/wait-for.js";
import { withHeldCriu } from "../support/broken-program.js";
import { expectKept } from "../support/expect-kept.js";
import { listenForStage } from "../support/moments.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../support/moving-fleet.js";
import { useRenewedFleet } from "../support/renewed-fleet.js";
import { settledOn } from "../support/traces.js";

const REWRITER = WORKLOADS.find(({ name }) => name === "rewriter")!;
const NAME = REWRITER.name;
/** Writes a number after the other to a file of its root file system, each through to the disk, and says nothing. */
const SCRIBE: LabContainer = {
  ...REWRITER,
  name: "scribe",
  address: "10.77.0.153",
  macAddress: "02:45:4b:00:00:99",
  command: [
    "python3",
    "-S",
    "-B",
    "-c",
    [
      "import os, time",
      "held = bytearray(os.urandom(1 << 20)) * 24",
      "out = os.open('/srv/numbers', os.O_WRONLY | os.O_CREAT | os.O_APPEND)",
      "number = 0",
      "while True:",
      "    number += 1",
      "    os.write(out, b'%d\\n' % number)",
      "    os.fsync(out)",
      "    time.sleep(0.01)",
    ].join("\n"),
  ],
};
/** Forks all the time: the child checks all of the memory they share while its parent reads it from the other end. */
const FORKER: LabContainer = {
  ...SCRIBE,
  name: "forker",
  address: "10.77.0.154",
  macAddress: "02:45:4b:00:00:9a",
  command: [
    "python3",
    "-S",
    "-B",
    "-c",
    [
      "import os, time, zlib",
      "held = bytearray(os.urandom(1 << 20)) * 32",
      "right = zlib.crc32(held)",
      "out = os.open('/srv/checks', os.O_WRONLY | os.O_CREAT | os.O_APPEND)",
      "number = 0",
      "while True:",
      "    number += 1",
      "    child = os.fork()",
      "    if child == 0:",
      "        os.write(out, b'%d %s\\n' % (number, b'right' if zlib.crc32(held) == right else b'wrong'))",
      "        os._exit(0)",
      "    for at in range(len(held) - 1, 0, -4096):",
      "        held[at]",
      "    os.waitpid(child, 0)",
      "    time.sleep(0.02)",
    ].join("\n"),
  ],
};
/** Its pages take some ten seconds then: long enough to meet things on their way. */
const LINK = "200mbit";
/** Each answer is about a window of the memory, and all of them are to be seen. */
const PAUSE_MILLISECONDS = 5;
/** Longer than the ends need to notice. */
const CUT_MILLISECONDS = 5000;

describe("A move by postcopy", function () {
  this.timeout(900_000);
  let here: string;

  async function start(): Promise<MovingFleet> {
    here = FIRST;
    return startMovingFleet("e2e-postcopy", [REWRITER, SCRIBE, FORKER], {
      asked: [REWRITER],
      pauseMs: PAUSE_MILLISECONDS,
      before: async ({ lab }) => {
        for (const { name } of lab.nodes)
          await lab.node(name).exec(`tc qdisc add dev eth0 root tbf rate ${LINK} burst 256kb latency 100ms`.split(" "));
      },
    });
  }

  const moving = useRenewedFleet(start);

  const node = (name: string) => moving().fleet.lab.node(name);
  const other = () => (here === FIRST ? SECOND : FIRST);
  const read = async (id: string) => (await readMigration(moving().fleet.redis, moving().fleet.keys, id))!;
  const executor = (name: string) => node(name).service("executor")!;

  /** What the page proxy of a node has written down. */
  const pagesAt = async (name: string) => (await node(name).exec(["sh", "-c", "cat /run/evenkeel/in/*/pages.json"])).stdout;
  const killProcess = (name: string, words: string) => node(name).exec(["pkill", "-KILL", "-f", words]);

  /** Moves it, and does something once the copy runs and its memory is on the way. */
  async function whilePagesFlow(doing: (from: string, to: string) => Promise<void>): Promise<MigrationRecord> {
    const moment = await listenForStage(moving().fleet, "resume");
    try {
      const id = await moving().begin(NAME, here, other(), "postcopy");
      await moment.reached;
      await doing(here, other());
      return await moving().closed(id);
    } finally {
      moment.close();
    }
  }

  /** One running copy there, all of its memory as it should be, its connection kept, and nothing else left anywhere. */
  async function isWell(where: string): Promise<void> {
    here = where;
    await settledOn(moving().fleet, NAME, where);
    // Twice around all of its windows would take a minute on this link; each answer also counts what has been rewritten.
    expectKept(await moving().answersOn(NAME));
    const { HostConfig } = await node(where).docker.getContainer(NAME).inspect();
    expect(HostConfig.RestartPolicy?.Name).to.equal("unless-stopped");
  }

  async function arrivesWell(record: MigrationRecord): Promise<void> {
    expect(record).to.include({ result: "succeeded", outcome: "committed", modeUsed: "postcopy" });
    expect(record.bytes["pages"]).to.be.greaterThan(200_000_000);
    expect(record.bytes["memory"]).to.be.lessThan(20_000_000);
    await isWell(record.to);
  }

  it("lets the copy run before its memory is there, and brings all of it, there and back", async () => {
    for (let round = 0; round < 2; round++) {
      const record = await whilePagesFlow(async (_from, to) => {
        expect(await pagesAt(to)).to.include('"flowing"');
        await moving().answersOn(NAME);
        expect(await pagesAt(to)).to.include('"flowing"');
      });
      await arrivesWell(record);
      // Its memory is checked window by window; a whole round of them.
      const { requests } = await moving().client(NAME);
      await waitFor("all of its memory to be checked", async () => (await moving().client(NAME)).requests > requests + 2048, {
        deadlineSeconds: 250,
      });
      expect(await moving().client(NAME)).to.include({ wrongAnswers: 0 });
    }
  });

  it("carries what the workload wrote to its root file system until it stood still, there and back", async () => {
    const numbers = async (at: string) =>
      (await node(at).exec(["docker", "exec", SCRIBE.name, "cat", "/srv/numbers"])).stdout.trim().split("\n").map(Number);
    let [at, to] = [FIRST, SECOND];
    for (let move = 0; move < 4; move++) {
      const before = (await numbers(at)).length;
      const record = await moving().moveWell(SCRIBE.name, at, to, "postcopy");
      expect(record.modeUsed).to.equal("postcopy");
      await settledOn(moving().fleet, SCRIBE.name, to);
      const now = await waitFor("it to write on", async () => {
        const seen = await numbers(to);
        return seen.length > before + 100 && seen;
      });
      expect(now.findIndex((number, index) => number !== index + 1)).to.equal(-1);
      [at, to] = [to, at];
    }
  });

  it("serves parent and child alike of a workload that forks while its memory is on the way", async () => {
    const checks = async (at: string) =>
      (await node(at).exec(["docker", "exec", FORKER.name, "cat", "/srv/checks"])).stdout.trim().split("\n");
    let [at, to] = [FIRST, SECOND];
    for (let move = 0; move < 4; move++) {
      const before = (await checks(at)).length;
      await moving().moveWell(FORKER.name, at, to, "postcopy");
      await settledOn(moving().fleet, FORKER.name, to);
      const now = await waitFor("it to check on", async () => {
        const seen = await checks(to);
        return seen.length > before + 10 && seen;
      });
      expect(now.filter((line) => !line.endsWith("right"))).to.deep.equal([]);
      [at, to] = [to, at];
    }
  });

  it("refuses another move of the workload while its memory is on the way, and says how far it is", async () => {
    const record = await whilePagesFlow(async (from, to) => {
      const again = moving()
        .begin(NAME, to, from, "postcopy")
        .then(
          () => "begun",
          (error: { code?: string }) => error.code,
        );
      expect(await again).to.equal("WORKLOAD_MIGRATING");
      const seen = await waitFor("its progress", async () => {
        const open = await moving().fleet.redis.smembers(moving().fleet.keys.openMigrations);
        const progress = open[0] === undefined ? null : (await read(open[0])).progress;
        return progress?.totalBytes === undefined ? null : progress;
      });
      expect(seen.totalBytes).to.be.greaterThan(200_000_000);
      expect(seen.doneBytes).to.be.lessThan(seen.totalBytes!);
    });
    await arrivesWell(record);
  });

  for (const side of ["source", "destination"] as const) {
    it(`only waits when the ${side}'s link is cut while its memory is on the way`, async () => {
      const record = await whilePagesFlow(async (from, to) => {
        const cut = node(side === "source" ? from : to);
        await cut.cut();
        await delay(CUT_MILLISECONDS);
        expect(await pagesAt(to)).to.include('"flowing"');
        await cut.heal();
      });
      await arrivesWell(record);
    });
  }

  for (const sides of [["source"], ["destination"], ["source", "destination"]] as const) {
    it(`goes on while the ${sides.join("'s and the ")}'s executor is away, and is settled by the successor`, async () => {
      const record = await whilePagesFlow(async (from, to) => {
        const nodes = sides.map((side) => (side === "source" ? from : to));
        await Promise.all(nodes.map((name) => executor(name).kill("SIGKILL")));
        const before = await pagesAt(to);
        await waitFor("pages to flow without an executor", async () => (await pagesAt(to)) !== before);
        for (const name of nodes) await moving().startExecutor(name);
      });
      await arrivesWell(record);
    });
  }

  it("goes on when the process that gives the memory away is killed", async () => {
    const record = await whilePagesFlow(async (from) => void (await killProcess(from, "page-source.js")));
    await arrivesWell(record);
  });

  for (const stage of ["prepare", "freeze", "transfer", "restore"]) {
    it(`goes on at the source when it is cancelled at ${stage}`, async () => {
      const { fleet } = moving();
      const moment = await listenForStage(fleet, stage);
      const record = await withHeldCriu(node(other()), async (letGo) => {
        const id = await moving().begin(NAME, here, other(), "postcopy");
        await moment.reached;
        expect(await abortMigration(fleet.redis, fleet.keys, id, nowSeconds(), "a test")).to.equal("aborted");
        await letGo();
        return moving().closed(id);
      });
      moment.close();
      expect(record).to.include({ result: "cancelled", errorCode: "CANCELLED" });
      await isWell(record.from);
    });
  }

  it("goes on at the source when the destination cannot be reached for pages", async () => {
    const ports = [
      "nft",
      "add table inet shut; add chain inet shut in { type filter hook input priority 0; }; add rule inet shut in tcp dport 9444-9451 drop",
    ];
    await node(other()).exec(ports);
    const record = await moving().move(NAME, here, other(), "postcopy");
    await node(other()).exec(["nft", "delete table inet shut"]);
    expect(record).to.include({ result: "failed", errorCode: "PEER_UNREACHABLE" });
    await isWell(record.from);
  });

  it("lets its owner restart it by hand before its memory is there", async () => {
    const record = await whilePagesFlow(async (_from, to) => {
      await node(to).docker.getContainer(NAME).restart({ t: 0 });
      await moving().answersOn(NAME);
    });
    expect(record).to.include({ result: "succeeded", outcome: "committed" });
    await settledOn(moving().fleet, NAME, record.to);
    // Its connection went with the process; the next test begins with one that is kept.
    await moving.renew();
  });

  it("is forgotten when its owner removes it before its memory is there", async () => {
    const record = await whilePagesFlow(async (_from, to) => void (await node(to).docker.getContainer(NAME).remove({ force: true })));
    expect(record.outcome).to.equal("committed");
    for (const { docker } of moving().fleet.lab.nodes)
      expect((await docker.listContainers({ all: true })).flatMap(({ Names }) => Names)).to.not.include(`/${NAME}`);
    await moving.renew();
  });

  it("is started anew when the frozen workload is killed at its source before its memory is there", async () => {
    const record = await whilePagesFlow(async (from) => void (await node(from).docker.getContainer(NAME).kill()));
    expect(record).to.include({ result: "failed", errorCode: "PAGES_LOST", outcome: "committed" });
    await settledOn(moving().fleet, NAME, record.to);
    await moving().answersOn(NAME);
    await moving.renew();
  });

  for (const [what, words] of [
    ["the page proxy", "page-proxy.js"],
    ["CRIU's daemon", "criu lazy-pages"],
  ] as const) {
    it(`ends the copy and starts it anew, rather than let it run on zeros, when ${what} is killed`, async () => {
      const before = (await moving().client(NAME)).wrongAnswers;
      const record = await whilePagesFlow(async (_from, to) => void (await killProcess(to, words)));
      expect(record).to.include({ result: "failed", errorCode: "PAGES_LOST", outcome: "committed" });
      here = record.to;
      await settledOn(moving().fleet, NAME, here);
      const { HostConfig } = await node(here).docker.getContainer(NAME).inspect();
      expect(HostConfig.RestartPolicy?.Name).to.equal("unless-stopped");
      const now = await moving().answersOn(NAME);
      if (what === "the page proxy") expect(now.wrongAnswers).to.equal(before);
      // Its connection went with the process; the next test begins with one that is kept.
      await moving.renew();
    });
  }

  it("starts the copy anew when its source is given up for lost meanwhile, and has that one alone when the source comes back", async () => {
    const { redis, keys } = moving().fleet;
    const source = here;
    const record = await whilePagesFlow(async (from) => {
      await executor(from).kill("SIGKILL");
      await killProcess(from, "page-source.js");
      await settleLostSources({ redis, keys, term: 0 }, (name) => name !== from);
    });
    expect(record).to.include({ result: "failed", errorCode: "NODE_LOST", outcome: "committed" });
    here = record.to;
    await moving().answersOn(NAME);
    await moving().startExecutor(source);
    await settledOn(moving().fleet, NAME, here);
    await moving().answersOn(NAME);
    // Its connection went with the process; the next test begins with one that is kept.
    await moving.renew();
  });
});
