import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { compressionPays, type Link } from "../../../executor/channel/compression-pays.js";
import { nowSeconds } from "../../../platform/clock.js";
import { abortMigration } from "../../../platform/migration-record.js";
import { waitFor } from "../../support/wait-for.js";
import { configureExecutor } from "../support/configure-executor.js";
import { expectKept } from "../support/expect-kept.js";
import { listenForStage } from "../support/moments.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../support/moving-fleet.js";
import { recordTicks, TICKER, type Ticks, woundBack } from "../support/ticking-workload.js";
import { settledOn } from "../support/traces.js";

const NAME = TICKER.name;
const MIB = 1 << 20;
/** Slow enough for a cut to find the image, or the volume, on its way. */
const CAP_BYTES_PER_SECOND = 16 * MIB;
const VOLUME_MIB = 96;
/** Memory and volume take longer than anyone waits here. */
const SLOW_BYTES_PER_SECOND = MIB / 8;
/** Longer than the heartbeat takes to give the link up. */
const CUT_MILLISECONDS = 12_000;
const UNDER_WAY_MILLISECONDS = 700;
/** 25 MB/s: what is compressed is through it long before what is sent as it is. */
const SLOW_LINK = "200mbit";

describe("The streams of a move", function () {
  this.timeout(600_000);
  let moving: MovingFleet;
  let ticks: Ticks;

  const node = (name: string) => moving.fleet.lab.node(name);
  const shell = async (name: string, script: string) => (await node(name).exec(["sh", "-c", script])).stdout;
  const broke = async (name: string) =>
    (await readFile(moving.executorLog(name), "utf8")).split("the connection broke before the freeze").length - 1;

  const configure = (name: string, executor: object) => configureExecutor(moving, name, executor);

  /** A large file in its volume, where the workload is. */
  const writeBulk = (where: string) =>
    shell(
      where,
      `docker exec ${NAME} python3 -S -c "import os; [open('/data/bulk', 'ab').write(os.urandom(1 << 20)) for _ in range(${VOLUME_MIB})]"`,
    );

  const memoryUsedBytes = (where: string) =>
    waitFor(`a sample of ${NAME} on ${where}`, async () => (await moving.sampled(NAME, where))?.memoryUsedBytes ?? null);

  async function isWell(where: string): Promise<void> {
    await settledOn(moving.fleet, NAME, where);
    expectKept(await moving.answersOn(NAME));
    await ticks.goOn();
    expect(woundBack(await ticks.read())).to.deep.equal([]);
  }

  /** Cuts the destination's link while `prepare` is under way, and heals it. */
  async function moveWithCut(from: string, to: string) {
    const before = await broke(from);
    const moment = await listenForStage(moving.fleet, "prepare");
    const id = await moving.begin(NAME, from, to);
    await moment.reached;
    moment.close();
    await delay(UNDER_WAY_MILLISECONDS);
    await node(to).cut();
    await delay(CUT_MILLISECONDS);
    await moving.heal(to);
    const record = await moving.closed(id);
    expect(record, record.errorMessage ?? "").to.include({ result: "succeeded", outcome: "committed" });
    expect(await broke(from)).to.be.greaterThan(before);
    await isWell(to);
    return record;
  }

  before(async () => {
    moving = await startMovingFleet("e2e-streams", [TICKER], {
      cores: { [FIRST]: 2 },
      before: async (fleet) => {
        ticks = await recordTicks(fleet.lab);
      },
    });
    await ticks.goOn();
    for (const name of [FIRST, SECOND]) await configure(name, { bandwidthBytesPerSecond: CAP_BYTES_PER_SECOND });
  });

  after(async () => {
    expect(await moving?.close()).to.deep.equal([]);
  });

  it("go on when the link is cut for a while and the image is on its way", async () => {
    const record = await moveWithCut(FIRST, SECOND);
    expect(record.bytes["image"]).to.be.greaterThan(16 * MIB);
  });

  it("go on when the link is cut for a while and files are on their way, within the cap", async () => {
    await writeBulk(SECOND);
    const record = await moveWithCut(SECOND, FIRST);
    expect(record.bytes).to.not.have.property("image");
    const at = (stage: string) => record.timeline.find((entry) => entry.stage === stage)!.at;
    expect(record.bytes["files"]! / (at("freeze") - at("prepare"))).to.be.at.most(CAP_BYTES_PER_SECOND * 1.1);
    await shell(FIRST, `docker exec ${NAME} python3 -S -c "import os; os.unlink('/data/bulk')"`);
  });

  it("are smaller when they are compressed", async () => {
    await node(SECOND).docker.getImage(TICKER.image).remove();
    const { Size } = await node(FIRST).docker.getImage(TICKER.image).inspect();
    await configure(FIRST, { compression: "always" });
    const record = await moving.moveWell(NAME, FIRST, SECOND);
    expect(record.bytes["image"]).to.be.lessThan(Size * 0.7);
    await isWell(SECOND);
  });

  it("end the move, and the source goes on, when a byte of the memory has changed on the way", async () => {
    await configure(SECOND, { compression: "always" });
    const spoil = "import sys; bytes = bytearray(sys.stdin.buffer.read()); bytes[5_000_000] ^= 1; sys.stdout.buffer.write(bytes)";
    const script = `#!/bin/sh\n[ "$1" = -d ] || exec zstd.real "$@"\nzstd.real "$@" | python3 -c "${spoil}"`;
    await shell(FIRST, `mv /usr/bin/zstd /usr/bin/zstd.real\ncat >/usr/bin/zstd <<'END'\n${script}\nEND\nchmod 755 /usr/bin/zstd`);
    const record = await moving.move(NAME, SECOND, FIRST);
    await shell(FIRST, "mv /usr/bin/zstd.real /usr/bin/zstd");
    expect(record).to.include({ result: "failed", errorCode: "CHECKSUM_MISMATCH", outcome: "aborted" });
    await isWell(SECOND);
  });

  for (const crowded of [FIRST, SECOND]) {
    it(`are not begun when the ${crowded === SECOND ? "source" : "destination"} has no room for the memory image`, async () => {
      await shell(crowded, 'mount -o "remount,size=$(($(df -B1 --output=used /run | tail -1) + (40 << 20)))" /run');
      const record = await moving.move(NAME, SECOND, FIRST);
      await shell(crowded, "mount -o remount,size=50% /run");
      expect(record).to.include({ result: "failed", errorCode: "PREFLIGHT_BLOCKED", outcome: "aborted" });
      expect(record.errorMessage).to.include("tmpfs-short: ").and.include(`/run/evenkeel of ${crowded}`);
      await isWell(SECOND);
    });
  }

  it("are what they were once there is room again", async () => {
    await moving.moveWell(NAME, SECOND, FIRST);
    await isWell(FIRST);
  });

  it("are not begun when they would take more memory than the images of all moves may there: executor.imageBudgetBytes", async () => {
    const bytes = await memoryUsedBytes(FIRST);
    await configure(SECOND, { imageBudgetBytes: Math.floor(bytes / 2) });
    const record = await moving.move(NAME, FIRST, SECOND);
    expect(record).to.include({ result: "failed", errorCode: "PREFLIGHT_BLOCKED", outcome: "aborted" });
    const budget = `/run/evenkeel of ${SECOND} has room for ${Math.ceil(Math.floor(bytes / 2) / MIB)} MiB`;
    expect(record.errorMessage).to.include("tmpfs-short: ").and.include(budget);
    await isWell(FIRST);
  });

  it("may take that much again when those before have ended, on the way there and back", async () => {
    const bytes = await memoryUsedBytes(FIRST);
    await configure(SECOND, { imageBudgetBytes: Math.ceil(bytes * 1.5) });
    await moving.moveWell(NAME, FIRST, SECOND);
    await moving.moveWell(NAME, SECOND, FIRST);
    await isWell(FIRST);
  });

  /** Moves it with an image that the other node has not got, by settings of which none speaks of the link. Returns what was measured, and what share of the image crossed. */
  async function moveOver(from: string, to: string) {
    const free = { bandwidthBytesPerSecond: undefined, compression: undefined, imageBudgetBytes: undefined };
    await configure(from, free);
    await node(to).docker.getImage(TICKER.image).remove();
    const { Size } = await node(from).docker.getImage(TICKER.image).inspect();
    const record = await moving.moveWell(NAME, from, to);
    const lines = (await readFile(moving.executorLog(from), "utf8")).split("\n").filter((line) => line.includes("link measured"));
    await isWell(to);
    return { link: JSON.parse(lines.at(-1)!) as Link & { readonly compresses: boolean }, share: record.bytes["image"]! / Size };
  }

  it("are sent as they are over a fast link, where the settings leave it open", async function () {
    const { link, share } = await moveOver(FIRST, SECOND);
    expect(link.cores).to.equal(2);
    // The machine may be so busy that compressing would pay.
    if (compressionPays(link)) this.skip();
    expect(link.compresses).to.equal(false);
    expect(share).to.be.at.least(1);
  });

  for (const [from, to, cores, compresses] of [
    [SECOND, FIRST, 1, false],
    [FIRST, SECOND, 2, true],
  ] as const) {
    it(`are ${compresses ? "compressed" : "sent as they are"} over a link that is measured to be slow, from a node with ${cores} of the machine's cores`, async () => {
      const shape = (verb: string) => shell(from, `tc qdisc ${verb}`);
      await shape(`add dev eth0 root tbf rate ${SLOW_LINK} burst 256kb latency 100ms`);
      const { link, share } = await moveOver(from, to).finally(() => shape("del dev eth0 root"));
      expect(link).to.include({ cores, compresses });
      expect(link.bytesPerSecond).to.be.below(50e6);
      if (compresses) expect(share).to.be.below(0.7);
      else expect(share).to.be.at.least(1);
    });
  }

  it("are what they were once nothing is said of them", async () => {
    await moving.moveWell(NAME, SECOND, FIRST);
    await isWell(FIRST);
  });

  /** Cancels a move that has come to a stage in which, at this pace, it would stay for minutes. */
  async function isCancelledAt(stage: string, mode: string): Promise<void> {
    const { redis, keys } = moving.fleet;
    const moment = await listenForStage(moving.fleet, stage);
    const id = await moving.begin(NAME, FIRST, SECOND, mode);
    await moment.reached;
    moment.close();
    await delay(UNDER_WAY_MILLISECONDS);
    expect(await abortMigration(redis, keys, id, nowSeconds(), "a test")).to.equal("aborted");
    const record = await moving.closed(id);
    expect(record).to.include({ result: "cancelled", errorCode: "CANCELLED" });
    expect(record.timeline.at(-1)!.stage).to.equal(stage);
    await isWell(FIRST);
  }

  it("are broken off when the move is cancelled: memory, in the freeze", async () => {
    await configure(FIRST, { bandwidthBytesPerSecond: SLOW_BYTES_PER_SECOND, capsFreeze: true, compression: "never" });
    await isCancelledAt("transfer", "stopcopy");
  });

  it("are broken off when the move is cancelled: files, while the workload runs", async () => {
    await writeBulk(FIRST);
    await isCancelledAt("prepare", "stopcopy");
  });
});
