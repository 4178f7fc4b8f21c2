import { expect } from "chai";
import type { LabKind } from "../../../lab/lab.js";
import type { MigrationRecord } from "../../../platform/migration-record.js";
import { expectKept } from "./expect-kept.js";
import { listenForStage } from "./moments.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "./moving-fleet.js";
import { recordTicks, TICKER, type Ticks } from "./ticking-workload.js";
import { settledOn } from "./traces.js";

const NAME = TICKER.name;

/** One that was started anew counts from 1; what it says before it knows its neighbour may be lost. */
const FIRST_WORDS = 50;

/** What must hold when either end of a move loses power, whatever a node of the lab is. To be called within a `describe`. */
export function testPowerCuts(kind: LabKind, labName: string, obstacle: string | null): void {
  let moving: MovingFleet;
  let ticks: Ticks;
  let here = FIRST;
  const other = () => (here === FIRST ? SECOND : FIRST);

  before(async function () {
    if (obstacle !== null) return this.skip();
    moving = await startMovingFleet(labName, [TICKER], {
      kind,
      before: async (fleet) => {
        ticks = await recordTicks(fleet.lab);
      },
    });
    await ticks.goOn();
  });

  after(async () => {
    expect((await moving?.close()) ?? []).to.deep.equal([]);
  });

  /** In the folder of the workload's volume, where it is now. */
  const inVolume = async (script: string) => {
    const node = moving.fleet.lab.node(here);
    const { Mountpoint } = await node.docker.getVolume(TICKER.volumes[0]!.name).inspect();
    return (await node.exec(["sh", "-c", `cd ${Mountpoint} && ${script}`])).stdout.trim();
  };
  const readSums = () => inVolume("sha256sum on-disk-*");

  /** Files on the disk where the workload runs, which have to come anew to the other node. Returns their checksums. */
  async function writeToDisk(): Promise<string> {
    await inVolume("for each in 1 2 3; do head -c 200000 /dev/urandom >on-disk-$each; done && sync");
    return readSums();
  }

  /** Begins a move, cuts the power of one end as soon as the record says so, and switches it on again. */
  async function cutAt(stage: string, end: "source" | "destination"): Promise<MigrationRecord> {
    const node = moving.fleet.lab.node(end === "source" ? here : other());
    const moment = await listenForStage(moving.fleet, stage);
    try {
      const id = await moving.begin(NAME, here, other());
      await moment.reached;
      await node.stop();
      await node.start();
      await node.waitForDocker();
      await moving.startPart(node.name, "collector");
      await moving.startExecutor(node.name);
      return await moving.closed(id);
    } finally {
      moment.close();
    }
  }

  /** One copy runs, where the record says, and goes on by itself; `memoryLost` tells whether it had to be started anew: then it counts anew. */
  async function endsWith(record: MigrationRecord, before: number): Promise<{ memoryLost: boolean }> {
    here = record.outcome === "committed" ? other() : here;
    await settledOn(moving.fleet, NAME, here);
    await ticks.goOn();
    const { HostConfig } = await moving.fleet.lab.node(here).docker.getContainer(NAME).inspect();
    expect(HostConfig.RestartPolicy?.Name).to.equal("unless-stopped");
    const since = (await ticks.read()).slice(before);
    const falls = since.filter((tick, index) => index > 0 && tick <= since[index - 1]!);
    expect(falls.filter((tick) => tick > FIRST_WORDS)).to.deep.equal([]);
    return { memoryLost: falls.length > 0 };
  }

  it("takes nothing from the workload when it is the destination and has not committed", async () => {
    const before = (await ticks.read()).length;
    const record = await cutAt("transfer", "destination");
    expect(record).to.include({ outcome: "aborted", result: "failed" });
    expect(await endsWith(record, before)).to.deep.equal({ memoryLost: false });
    expectKept(await moving.answersOn(NAME));
  });

  it("loses the workload's memory, yet nothing of what it had on disk, and starts it anew when it is the destination and has committed", async () => {
    const before = (await ticks.read()).length;
    const onDisk = await writeToDisk();
    const record = await cutAt("committed", "destination");
    expect(record.outcome).to.equal("committed");
    expect(await endsWith(record, before)).to.deep.equal({ memoryLost: true });
    expect(await readSums()).to.deep.equal(onDisk);
  });

  // Minutes each, emulated: of two that end alike one is enough there.
  if (kind !== "vm") {
    it("loses the workload's memory and starts it anew when it is the destination and the source has destroyed its copy", async () => {
      const before = (await ticks.read()).length;
      const record = await cutAt("cleanup", "destination");
      expect(record.outcome).to.equal("committed");
      await endsWith(record, before);
    });
  }

  it("loses the workload's memory and starts it anew when it is the source and the workload is frozen there", async () => {
    const before = (await ticks.read()).length;
    const record = await cutAt("freeze", "source");
    expect(record).to.include({ outcome: "aborted", result: "failed" });
    expect(await endsWith(record, before)).to.deep.equal({ memoryLost: true });
  });
}
