import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { whyNoGuests } from "../../../lab/vm/guest.js";
import { startCapture } from "../../e2e/support/capture.js";
import { misdelivered, sentAfterTurn } from "../../e2e/support/held-packets.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../../e2e/support/moving-fleet.js";
import { DATAGRAM_PORT, PACED_SINK, type PacedTraffic, STREAM_PORT, startPacedTraffic } from "../../e2e/support/paced-traffic.js";
import { waitFor } from "../../support/wait-for.js";

/** An emulated node is kept busy by a thousand packets a second; one that others slow down stands still for half a minute. */
const SLOW = { streams: 5, lineSeconds: 0.2, datagramSeconds: 0.1 };

const obstacle = whyNoGuests();

describe(`Packets for a workload that moves between virtual nodes${obstacle === null ? "" : ` (skipped: ${obstacle})`}`, function () {
  this.timeout(1_800_000);
  let moving: MovingFleet;
  let traffic: PacedTraffic;

  before(async function () {
    if (obstacle !== null) return this.skip();
    moving = await startMovingFleet("vm-packets", [PACED_SINK], { asked: [], kind: "vm" });
    traffic = await startPacedTraffic(moving.fleet.lab, PACED_SINK.address, SLOW);
  });

  after(async () => {
    await traffic?.stop();
    expect((await moving?.close()) ?? []).to.deep.equal([]);
  });

  it("are held by the kernel's own plug (sch_plug), and delivered once each and in their order", async () => {
    const { lab } = moving.fleet;
    const means = async () => /"packetHold":"?(\w+)/.exec(await readFile(moving.executorLog(SECOND), "utf8"))?.[1];
    expect(await waitFor("the executor to say how it holds packets", means, { deadlineSeconds: 120 })).to.equal("plug");
    const seen = await startCapture(lab, lab.clients, `arp or udp dst port ${DATAGRAM_PORT} or tcp port ${STREAM_PORT}`);
    await moving.moveWell(PACED_SINK.name, FIRST, SECOND);
    await traffic.goesOn();
    const frames = await seen.frames();
    await seen.stop();
    expect(await traffic.trouble()).to.deep.equal([]);
    const { datagrams, faults } = await traffic.received();
    expect(faults).to.deep.equal([]);
    expect(frames.filter((frame) => frame.tcp?.isReset)).to.deep.equal([]);
    const sent = sentAfterTurn(frames, PACED_SINK);
    expect(sent.length).to.be.greaterThan(0);
    expect(misdelivered(sent, datagrams)).to.deep.equal([]);
  });
});
