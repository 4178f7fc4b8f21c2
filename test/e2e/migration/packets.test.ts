import { expect } from "chai";
import { nowSeconds } from "../../../platform/clock.js";
import { abortMigration } from "../../../platform/migration-record.js";
import { withHeldCriu } from "../support/broken-program.js";
import { type Capture, type Frame, startCapture } from "../support/capture.js";
import { announcesFrom, misdelivered, sentAfterTurn } from "../support/held-packets.js";
import { listenForStage } from "../support/moments.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../support/moving-fleet.js";
import { DATAGRAM_PORT, PACED_SINK, type PacedTraffic, STREAM_PORT, startPacedTraffic } from "../support/paced-traffic.js";
import { settledOn } from "../support/traces.js";

const NAME = PACED_SINK.name;

const announces = announcesFrom(PACED_SINK);

describe("Packets for a workload that is being moved", function () {
  this.timeout(600_000);
  let moving: MovingFleet;
  let traffic: PacedTraffic;
  const captures: Capture[] = [];

  before(async () => {
    moving = await startMovingFleet("e2e-packets", [PACED_SINK], { asked: [] });
    traffic = await startPacedTraffic(moving.fleet.lab, PACED_SINK.address);
  });

  after(async () => {
    await traffic?.stop();
    expect(await moving?.close()).to.deep.equal([]);
  });

  afterEach(async () => {
    for (const capture of captures.splice(0)) await capture.stop();
  });

  async function capture(machine: "clients" | typeof FIRST | typeof SECOND, ...words: string[]): Promise<Capture> {
    const { lab } = moving.fleet;
    const begun = await startCapture(lab, machine === "clients" ? lab.clients : lab.node(machine), ...words);
    captures.push(begun);
    return begun;
  }

  const watchClients = () => capture("clients", `arp or udp dst port ${DATAGRAM_PORT} or tcp port ${STREAM_PORT}`);

  /** Moves it, checks that every stream went on without a fault, and returns what passed the clients' uplink meanwhile. */
  async function moveWatched(from: string, to: string): Promise<Frame[]> {
    const seen = await watchClients();
    await moving.moveWell(NAME, from, to);
    await isUnharmed(to, seen);
    await seen.stop();
    return seen.frames();
  }

  async function isUnharmed(where: string, seen: Capture): Promise<void> {
    await traffic.goesOn();
    expect(await traffic.trouble()).to.deep.equal([]);
    expect((await traffic.received()).faults).to.deep.equal([]);
    expect((await seen.frames()).filter((frame) => frame.tcp?.isReset)).to.deep.equal([]);
    await settledOn(moving.fleet, NAME, where);
  }

  it("are drawn to the destination by its word, kept there, and delivered once each and in their order when it runs", async () => {
    const frames = await moveWatched(FIRST, SECOND);
    const sent = sentAfterTurn(frames, PACED_SINK);
    expect(sent.length).to.be.greaterThan(0);
    expect(misdelivered(sent, (await traffic.received()).datagrams)).to.deep.equal([]);
    // Its copy knows whom it knew: no word of it has to wait until somebody has said where he is.
    expect(frames.filter(({ source, arp }) => source === PACED_SINK.macAddress && arp?.broadcast && !arp.gratuitous)).to.deep.equal([]);
  });

  it("are drawn there by frames that leave the destination's own uplink", async () => {
    const destination = await capture(FIRST, "-Q", "out", "arp");
    await moveWatched(SECOND, FIRST);
    expect((await destination.frames()).filter(announces).length).to.be.greaterThan(0);
  });

  it("are lost where the destination has no means to keep them; a stream loses nothing, its peer sends again", async () => {
    await moving.moveWell(NAME, FIRST, SECOND);
    const { lab } = moving.fleet;
    // Without socat the executor finds no means to hold packets.
    const withoutMeans = async <T>(doing: () => Promise<T>): Promise<T> => {
      await lab.node(FIRST).exec(["mv", "/usr/bin/socat", "/usr/bin/socat.away"]);
      await lab.node(FIRST).service("executor")!.kill("SIGKILL");
      await moving.startExecutor(FIRST);
      try {
        return await doing();
      } finally {
        await lab.node(FIRST).exec(["mv", "/usr/bin/socat.away", "/usr/bin/socat"]);
        await lab.node(FIRST).service("executor")!.kill("SIGKILL");
        await moving.startExecutor(FIRST);
      }
    };
    const sent = sentAfterTurn(await withoutMeans(() => moveWatched(SECOND, FIRST)), PACED_SINK);
    expect(misdelivered(sent, (await traffic.received()).datagrams)).to.not.deep.equal([]);
  });

  it("go to the source again, by its word, when the move is called off", async () => {
    const [source, seen] = [await capture(FIRST, "-Q", "out", "arp"), await watchClients()];
    const moment = await listenForStage(moving.fleet, "restore");
    const record = await withHeldCriu(moving.fleet.lab.node(SECOND), async (letGo) => {
      const id = await moving.begin(NAME, FIRST, SECOND);
      await moment.reached;
      await abortMigration(moving.fleet.redis, moving.fleet.keys, id, nowSeconds(), "a test");
      await letGo();
      return moving.closed(id);
    });
    moment.close();
    expect(record).to.include({ result: "cancelled" });
    await isUnharmed(FIRST, seen);
    expect((await source.frames()).filter(announces).length).to.be.greaterThan(0);
  });
});
