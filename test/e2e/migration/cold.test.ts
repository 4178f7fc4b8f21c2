import { once } from "node:events";
import type { Readable } from "node:stream";
import { expect } from "chai";
import { LABELS } from "../../../collector/protocol.js";
import { type LabWorkload, WORKLOADS } from "../../../lab/workloads/workload-table.js";
import type { MigrationRecord } from "../../../platform/migration-record.js";
import { withHeldRunc, withProgram, withRunc } from "../support/broken-program.js";
import { expectForetold } from "../support/expect-foretold.js";
import { killedAt } from "../support/killed-at.js";
import { listenForStage } from "../support/moments.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../support/moving-fleet.js";
import { recordTicks, type Ticks, woundBack } from "../support/ticking-workload.js";
import { settledOn } from "../support/traces.js";

const NAME = "counter";

/**
 * Watches a folder of its root file system, which CRIU cannot find again on another host. Counts on in its volume from wherever it was, and tells each number by UDP: two copies, or
 * files that came without their last changes, would tell a number twice.
 */
const PROGRAM = String.raw`
import ctypes, os, socket, sys, time
libc = ctypes.CDLL(None)
libc.inotify_add_watch(libc.inotify_init(), b"/srv", 2)
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
journal = os.open("/data/journal", os.O_RDWR | os.O_CREAT | os.O_APPEND)
lines = os.pread(journal, 1 << 26, 0).split(b"\n")
number = max([int(line) for line in lines if line.isdigit()], default=0)
os.write(journal, b"start\n")
while True:
    number += 1
    os.write(journal, b"%d\n" % number)
    try:
        out.sendto(b"%d\n" % number, ("10.77.0.3", 9999))
    except OSError:
        pass
    time.sleep(0.05)
`;

const COUNTER: LabWorkload = {
  ...WORKLOADS.find(({ name }) => name === "journal")!,
  name: NAME,
  command: ["python3", "-S", "-B", "-c", PROGRAM],
  address: "10.77.0.152",
  macAddress: "02:45:4b:00:00:98",
  volumes: [{ name: "counter-data", target: "/data" }],
  labels: { [LABELS.fallback]: "cold" },
};

describe("A workload that CRIU refuses and that may be stopped", function () {
  this.timeout(600_000);
  let moving: MovingFleet;
  let ticks: Ticks;
  let here = FIRST;

  before(async () => {
    moving = await startMovingFleet("e2e-cold", [COUNTER], {
      asked: [],
      before: async (fleet) => {
        ticks = await recordTicks(fleet.lab);
      },
    });
    await ticks.goOn();
  });

  after(async () => {
    expect(await moving?.close()).to.deep.equal([]);
  });

  const other = () => (here === FIRST ? SECOND : FIRST);
  const container = (node: string) => moving.fleet.lab.node(node).docker.getContainer(NAME);

  async function starts(): Promise<number> {
    const journal = await moving.fleet.lab
      .node(here)
      .exec(["docker", "exec", NAME, "python3", "-S", "-c", "print(open('/data/journal').read())"]);
    return journal.stdout.split("\n").filter((line) => line === "start").length;
  }

  /** One running copy on the side that the record says, that counts on without a number told twice, and nothing else left. */
  async function endsWell(record: MigrationRecord): Promise<void> {
    expect(record.modeUsed).to.equal("cold");
    expect(record.result === "succeeded", record.errorMessage ?? "").to.equal(record.outcome === "committed");
    here = record.outcome === "committed" ? record.to : record.from;
    await settledOn(moving.fleet, NAME, here);
    await ticks.goOn();
    expect(woundBack(await ticks.read())).to.deep.equal([]);
    const { HostConfig, NetworkSettings } = await container(here).inspect();
    expect(HostConfig.RestartPolicy?.Name).to.equal("unless-stopped");
    expect(NetworkSettings.Networks["fleet"]).to.include({ IPAddress: COUNTER.address, MacAddress: COUNTER.macAddress });
    const volumes = await moving.fleet.lab.node(other()).docker.listVolumes();
    expect(volumes.Volumes.map(({ Name }) => Name)).to.not.include("counter-data");
  }

  it("is stopped, moved and started with the same address and all its files, and the record says so", async () => {
    const begun = await starts();
    const record = await moving.moveWell(NAME, here, other());
    expect(record.modeUsed).to.equal("cold");
    expect(record.blackoutSeconds).to.be.greaterThan(0);
    expect(record.bytes).to.not.have.property("memory");
    // Python does not hear the signal, so that Docker waits for all of its ten seconds.
    expectForetold(record, ["cold"]);
    expect(record.forecast!.blackoutSeconds).to.be.greaterThan(10);
    const { redis, keys } = moving.fleet;
    expect(Object.keys(await redis.hgetall(keys.blackoutModel(record.from))), "what it teaches").to.deep.equal([`cold ${record.to}`]);
    await endsWell(record);
    expect(await starts()).to.equal(begun + 1);
  });

  it("starts again where it was when it cannot be started elsewhere", async () => {
    const begun = await starts();
    const record = await withRunc(moving.fleet.lab.node(other()), '*" create "*) exit 1 ;;', () => moving.move(NAME, here, other()));
    expect(record).to.include({ result: "failed", errorCode: "RESTORE_FAILED", outcome: "aborted" });
    await endsWell(record);
    expect(await starts()).to.equal(begun + 1);
  });

  it("is left alone when Docker would remove it as it is stopped", async () => {
    const { docker } = moving.fleet.lab.node(here);
    const passing = await docker.createContainer({
      name: "passing",
      Image: COUNTER.image,
      Cmd: [...COUNTER.command.slice(0, -1), PROGRAM.replaceAll("/data/journal", "/tmp/journal")],
      Labels: { [LABELS.fallback]: "cold" },
      HostConfig: { NetworkMode: "none", AutoRemove: true },
    });
    await passing.start();
    const record = await moving.move("passing", here, other());
    expect(record).to.include({ errorCode: "PREFLIGHT_BLOCKED", outcome: "aborted" });
    expect((await passing.inspect()).State.Running).to.equal(true);
    await passing.remove({ force: true });
  });

  it("keeps what it wrote when Docker dies as soon as it runs elsewhere", async () => {
    const there = moving.fleet.lab.node(other());
    const moment = await listenForStage(moving.fleet, "committed");
    // Docker is answered only when runc has ended: until then the workload runs, and Docker does not know.
    const record = await withHeldRunc(there, "start", async () => {
      const id = await moving.begin(NAME, here, other());
      await moment.reached;
      await ticks.goOn();
      await there.restartDocker("SIGKILL");
      return moving.closed(id);
    });
    moment.close();
    expect(record).to.include({ outcome: "committed", result: "failed", errorCode: "PAGES_LOST" });
    here = other();
    await settledOn(moving.fleet, NAME, here);
    await ticks.goOn();
    expect(woundBack(await ticks.read())).to.deep.equal([]);
  });

  it("goes on where it was, started again, when the source's executor is killed while Docker stops it", async () => {
    const begun = await starts();
    const node = moving.fleet.lab.node(here);
    // The program does not listen to the polite signal, so the stop takes Docker's ten seconds.
    const stopping = await node.docker.getEvents({ filters: { container: [NAME], event: ["kill"] } });
    const id = await moving.begin(NAME, here, other());
    await once(stopping, "data");
    (stopping as Readable).destroy();
    await node.service("executor")!.kill("SIGKILL");
    await moving.startExecutor(here);
    const record = await moving.closed(id);
    expect(record).to.include({ outcome: "aborted", errorCode: "INTERRUPTED" });
    await endsWell(record);
    expect(await starts()).to.equal(begun + 1);
  });

  it("goes on where it was when somebody starts it while its files are on their way", async () => {
    const moments = await Promise.all(["freeze", "transfer"].map((stage) => listenForStage(moving.fleet, stage)));
    const source = moving.fleet.lab.node(here);
    const held = "/run/rsync-is-held";
    const hold = `while [ -e ${held} ]; do sleep 0.1; done\nexec rsync.real "$@"`;
    const record = await withProgram(source, "/usr/bin/rsync", hold, async () => {
      const id = await moving.begin(NAME, here, other());
      // From the freeze, in which it is stopped, which takes ten seconds: the rounds before are not to wait.
      await moments[0]!.reached;
      await source.exec(["touch", held]);
      try {
        await moments[1]!.reached;
        await container(here).start();
        await moving.settled(id);
      } finally {
        await source.exec(["rm", held]);
      }
      return moving.closed(id);
    });
    for (const moment of moments) moment.close();
    expect(record).to.include({ outcome: "aborted", errorCode: "WORKLOAD_CHANGED" });
    await endsWell(record);
  });

  for (const [side, stages] of [
    ["source", ["freeze", "transfer", "restore", "committed", "resume"]],
    ["destination", ["transfer", "restore", "committed", "resume"]],
  ] as const) {
    for (const stage of stages) {
      it(`ends with one good copy when the ${side}'s executor is killed at ${stage}`, async () => {
        const node = side === "source" ? here : other();
        const id = await killedAt(moving, stage, node, () => moving.begin(NAME, here, other()));
        await endsWell(await moving.closed(id));
      });
    }
  }
});
