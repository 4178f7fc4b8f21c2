import { setTimeout as delay } from "node:timers/promises";
import { expect } from "chai";
import { nowSeconds } from "../../../platform/clock.js";
import { abortMigration, type MigrationRecord, readMigration } from "../../../platform/migration-record.js";
import { waitFor } from "../../support/wait-for.js";
import { withHeldCriu, withHeldRunc, withProgram, withRunc } from "../support/broken-program.js";
import { expectKept } from "../support/expect-kept.js";
import { listenForStage } from "../support/moments.js";
import { FIRST, type MovingFleet, SECOND } from "../support/moving-fleet.js";
import { useRenewedFleet } from "../support/renewed-fleet.js";
import { startTickingFleet } from "../support/ticking-fleet.js";
import { TICKER, type Ticks, woundBack } from "../support/ticking-workload.js";
import { settledOn } from "../support/traces.js";

const NAME = TICKER.name;
/** Long enough for the other end to notice. */
const CUT_MILLISECONDS = 6000;
const BULK_BYTES = 5 << 20;
/** Passes preflight and fails when runc asks it to dump or restore. */
const BROKEN_CRIU = '[ "$1" = swrk ] && exit 1\nexec criu.real "$@"';

describe("A migration that cannot be completed", function () {
  this.timeout(600_000);
  let ticks: Ticks;

  async function start(): Promise<MovingFleet> {
    const started = await startTickingFleet("e2e-fail");
    ticks = started.ticks;
    return started.moving;
  }

  const moving = useRenewedFleet(start);

  const node = (name: string) => moving().fleet.lab.node(name);

  /** No restore begins on the destination until `doing` lets go, so that no commit comes first. */
  const withHeldRestore = <T>(doing: (letGo: () => Promise<void>) => Promise<T>) => withHeldCriu(node(SECOND), doing);

  /** One running copy there, its connection and memory and files intact, and nothing else left anywhere. */
  async function isWell(where: string): Promise<void> {
    await settledOn(moving().fleet, NAME, where);
    expectKept(await moving().answersOn(NAME));
    await ticks.goOn();
    expect(woundBack(await ticks.read())).to.deep.equal([]);
    const { HostConfig } = await node(where).docker.getContainer(NAME).inspect();
    expect(HostConfig.RestartPolicy?.Name).to.equal("unless-stopped");
  }

  async function goesOnAtTheSource(record: MigrationRecord): Promise<void> {
    expect(record.outcome).to.equal("aborted");
    await isWell(record.from);
  }

  /** Moves the workload back to the first node if it went over. */
  async function backHome(): Promise<void> {
    if ((await moving().fleet.whereIs(NAME)) === SECOND) await moving().moveWell(NAME, SECOND, FIRST);
  }

  it("goes on at the source when CRIU cannot freeze it", async () => {
    const record = await withProgram(node(FIRST), "/usr/sbin/criu", BROKEN_CRIU, () => moving().move(NAME, FIRST, SECOND));
    expect(record).to.include({ result: "failed", errorCode: "CHECKPOINT_FAILED" });
    await goesOnAtTheSource(record);
  });

  it("goes on at the source when CRIU cannot restore it", async () => {
    const record = await withProgram(node(SECOND), "/usr/sbin/criu", BROKEN_CRIU, () => moving().move(NAME, FIRST, SECOND));
    expect(record).to.include({ result: "failed", errorCode: "RESTORE_FAILED" });
    await goesOnAtTheSource(record);
  });

  it("goes on at the source when a part of its memory is missing at the destination", async () => {
    // Once they are here, which CRIU waits for.
    const spoil = '[ "$1" = swrk ] && find /run/evenkeel/in -name pages-1.img -exec truncate -s 4096 {} +\nexec criu.real "$@"';
    const record = await withProgram(node(SECOND), "/usr/sbin/criu", spoil, () => moving().move(NAME, FIRST, SECOND));
    expect(record).to.include({ result: "failed", errorCode: "RESTORE_FAILED" });
    await goesOnAtTheSource(record);
  });

  it("goes on at the source, with Docker's words, when Docker cannot attach the network there", async () => {
    // The kernel brings up no second interface with that MAC on one parent.
    await node(SECOND).exec([
      "ip",
      "link",
      "add",
      "squatter",
      "link",
      "eth0",
      "address",
      TICKER.macAddress,
      "type",
      "macvlan",
      "mode",
      "bridge",
    ]);
    await node(SECOND).exec(["ip", "link", "set", "squatter", "up"]);
    const record = await moving().move(NAME, FIRST, SECOND);
    await node(SECOND).exec(["ip", "link", "del", "squatter"]);
    expect(record).to.include({ result: "failed", errorCode: "RESTORE_FAILED" });
    expect(record.errorMessage).to.match(/docker start: 500 .*network/);
    await goesOnAtTheSource(record);
  });

  it("goes on at the source when files cannot be brought across", async () => {
    const record = await withProgram(node(SECOND), "/usr/bin/rsync", "exit 1", () => moving().move(NAME, FIRST, SECOND));
    expect(record).to.include({ result: "failed", errorCode: "SYNC_FAILED" });
    await goesOnAtTheSource(record);
  });

  it("goes on at the source when a file cannot be carried, in a tree that nobody writes to any more", async () => {
    const script = 'rsync.real "$@"; code=$?; case "$*" in *peer/rootfs*) exit 23 ;; esac; exit $code';
    const record = await withProgram(node(FIRST), "/usr/bin/rsync", script, () => moving().move(NAME, FIRST, SECOND));
    expect(record).to.include({ result: "failed", errorCode: "SYNC_FAILED" });
    await goesOnAtTheSource(record);
  });

  it("leaves nothing that still sends files when one tree cannot be brought across while another is on its way", async () => {
    const inside = (program: string) => node(FIRST).exec(["docker", "exec", NAME, "python3", "-S", "-c", `import os; ${program}`]);
    await inside(`open('/data/bulk', 'wb').write(os.urandom(${BULK_BYTES}))`);
    // The volume would take some ten minutes.
    const script = [
      'case "$*" in',
      "*peer/rootfs*) exit 11 ;;",
      '*peer/volume-0*) exec rsync.real --bwlimit=8 "$@" ;;',
      "esac",
      'exec rsync.real "$@"',
    ].join("\n");
    const record = await withProgram(node(FIRST), "/usr/bin/rsync", script, () => moving().move(NAME, FIRST, SECOND));
    expect(record).to.include({ result: "failed", errorCode: "SYNC_FAILED" });
    await waitFor("the ends of what was on its way", async () => {
      const left = await Promise.all([FIRST, SECOND].map((name) => node(name).exec(["sh", "-c", "pgrep -l '^rsync' || true"])));
      return left.every(({ stdout }) => stdout === "");
    });
    const { Volumes } = await node(SECOND).docker.listVolumes();
    expect(Volumes.map(({ Name }) => Name)).to.not.include(TICKER.volumes![0]!.name);
    await goesOnAtTheSource(record);
    await inside("os.unlink('/data/bulk')");
  });

  for (const stage of ["transfer", "committed"]) {
    it(`ends with one copy when CRIU is killed at ${stage}, while it holds the workload`, async () => {
      const moment = await listenForStage(moving().fleet, stage);
      const kill = async (isDone: (id: string) => Promise<unknown>) => {
        const id = await moving().begin(NAME, FIRST, SECOND, "stopcopy");
        await moment.reached;
        moment.close();
        // After the commit it may have ended by itself.
        await node(FIRST).exec(["sh", "-c", "pkill -KILL -x criu; true"]);
        await isDone(id);
        return moving().closed(id);
      };
      const record = await (stage === "committed"
        ? kill(async () => {})
        : withHeldRestore((letGo) => kill((id) => moving().settled(id).then(letGo))));
      if (stage === "transfer") expect(record).to.include({ result: "failed", outcome: "aborted" });
      await settledOn(moving().fleet, NAME, record.outcome === "committed" ? SECOND : FIRST);
      // Not its connection: a program that meets CRIU's repair mode before it is reset closes it without a word.
      await ticks.goOn();
      expect(woundBack(await ticks.read())).to.deep.equal([]);
      await moving.renew();
    });
  }

  it("ends with one copy when CRIU is killed at transfer and the source's executor with it", async () => {
    const moment = await listenForStage(moving().fleet, "transfer");
    const record = await withHeldRestore(async (letGo) => {
      const id = await moving().begin(NAME, FIRST, SECOND, "stopcopy");
      await moment.reached;
      moment.close();
      await Promise.all([node(FIRST).service("executor")!.kill("SIGKILL"), node(FIRST).exec(["pkill", "-KILL", "-x", "criu"])]);
      await moving().startExecutor(FIRST);
      await moving().settled(id);
      await letGo();
      return moving().closed(id);
    });
    expect(record).to.include({ outcome: "aborted", errorCode: "INTERRUPTED" });
    await settledOn(moving().fleet, NAME, FIRST);
    // Not its connection, as above.
    await ticks.goOn();
    expect(woundBack(await ticks.read())).to.deep.equal([]);
    await moving.renew();
  });

  it("leaves nobody without a workload that died while it was frozen, though Docker cannot start it at once", async () => {
    const { fleet } = moving();
    const moment = await listenForStage(fleet, "restore");
    const once = "/run/failed-once";
    const record = await withRunc(node(FIRST), `*" create "*) [ -e ${once} ] || { touch ${once}; exit 1; } ;;`, () =>
      withHeldRestore(async (letGo) => {
        const id = await moving().begin(NAME, FIRST, SECOND);
        await moment.reached;
        const { Pid } = (await node(FIRST).docker.getContainer(NAME).inspect()).State;
        await node(FIRST).exec(["kill", "-KILL", String(Pid)]);
        await abortMigration(fleet.redis, fleet.keys, id, nowSeconds(), "a test");
        await letGo();
        return moving().closed(id);
      }),
    );
    moment.close();
    expect(record.outcome).to.equal("aborted");
    await settledOn(fleet, NAME, FIRST);
    await ticks.goOn();
    expect((await node(FIRST).exec(["ls", once])).stdout.trim()).to.equal(once);
    await moving.renew();
  });

  it("lets nobody else start its copy while that is made ready, and is completed all the same", async () => {
    const slow = 'sleep 2\nexec rsync.real "$@"';
    const record = await withProgram(node(FIRST), "/usr/bin/rsync", slow, async () => {
      const id = await moving().begin(NAME, FIRST, SECOND);
      const twin = node(SECOND).docker.getContainer(NAME);
      await waitFor("the twin", async () => (await node(SECOND).exec(["sh", "-c", "ls /run/evenkeel/in/*/events; true"])).stdout !== "");
      const refused = await twin.start().then(
        () => "started",
        (error: Error) => error.message,
      );
      expect(refused).to.include("being moved here");
      return moving().closed(id);
    });
    expect(record.result, record.errorMessage ?? "").to.equal("succeeded");
    await isWell(SECOND);
    await backHome();
  });

  for (const stage of ["preflight", "prepare", "freeze", "transfer", "restore"]) {
    it(`goes on at the source when it is cancelled at ${stage}`, async () => {
      const { fleet } = moving();
      const moment = await listenForStage(fleet, stage);
      const record = await withHeldRestore(async (letGo) => {
        const id = await moving().begin(NAME, FIRST, SECOND);
        await moment.reached;
        expect(await abortMigration(fleet.redis, fleet.keys, id, nowSeconds(), "a test")).to.equal("aborted");
        await letGo();
        return moving().closed(id);
      });
      moment.close();
      expect(record).to.include({ result: "cancelled", errorCode: "CANCELLED" });
      await goesOnAtTheSource(record);
    });
  }

  it("goes on at the source at once when it is cancelled while the destination is stuck in the restore", async () => {
    const { fleet } = moving();
    const moment = await listenForStage(fleet, "restore");
    const record = await withHeldRestore(async (letGo) => {
      const id = await moving().begin(NAME, FIRST, SECOND);
      await moment.reached;
      await abortMigration(fleet.redis, fleet.keys, id, nowSeconds(), "a test");
      await ticks.goOn();
      expect((await readMigration(fleet.redis, fleet.keys, id))!.closedAt).to.equal(null);
      await letGo();
      return moving().closed(id);
    });
    moment.close();
    expect(record).to.include({ result: "cancelled", errorCode: "CANCELLED" });
    await goesOnAtTheSource(record);
  });

  it("goes on at the source, as it was changed, when its owner changes it while it is made ready", async () => {
    const container = node(FIRST).docker.getContainer(NAME);
    const moment = await listenForStage(moving().fleet, "prepare");
    const id = await moving().begin(NAME, FIRST, SECOND);
    await moment.reached;
    moment.close();
    await container.update({ PidsLimit: 77 });
    const record = await moving().closed(id);
    expect(record).to.include({ result: "failed", errorCode: "WORKLOAD_CHANGED" });
    expect((await container.inspect()).HostConfig.PidsLimit).to.equal(77);
    await goesOnAtTheSource(record);
  });

  it("is refused while the destination cannot be reached", async () => {
    await node(SECOND).cut();
    const record = await moving().move(NAME, FIRST, SECOND);
    await moving().heal(SECOND);
    expect(record.result).to.equal("failed");
    expect(record.errorCode).to.be.oneOf(["PEER_UNREACHABLE", "NODE_UNKNOWN"]);
    await goesOnAtTheSource(record);
  });

  for (const stage of ["transfer", "restore"]) {
    it(`goes on at the source, without waiting for the destination, when its link is cut at ${stage}`, async () => {
      const moment = await listenForStage(moving().fleet, stage);
      const record = await withHeldRestore(async (letGo) => {
        const id = await moving().begin(NAME, FIRST, SECOND);
        await moment.reached;
        await node(SECOND).cut();
        await letGo();
        return moving().closed(id);
      });
      moment.close();
      expect(record.outcome).to.equal("aborted");
      await moving().answersOn(NAME);
      await moving().heal(SECOND);
      await goesOnAtTheSource(record);
    });
  }

  for (const [side, stage] of [
    [FIRST, "transfer"],
    [FIRST, "committed"],
    [SECOND, "committed"],
  ] as const) {
    it(`ends with one good copy when the ${side === FIRST ? "source" : "destination"}'s link is cut for a while at ${stage}`, async () => {
      const moment = await listenForStage(moving().fleet, stage);
      const id = await moving().begin(NAME, FIRST, SECOND);
      await moment.reached;
      await node(side).cut();
      moment.close();
      await delay(CUT_MILLISECONDS);
      await moving().heal(side);
      const record = await moving().closed(id);
      if (stage === "committed") expect(record.outcome).to.equal("committed");
      await isWell(record.outcome === "committed" ? SECOND : FIRST);
      await backHome();
    });
  }

  for (const stage of ["prepare", "transfer", "restore"]) {
    it(`ends with one good copy when the destination's Docker dies at ${stage}`, async () => {
      const moment = await listenForStage(moving().fleet, stage);
      // It is not to run before Docker is dead.
      const record = await withHeldRestore(async (letGo) => {
        const id = await moving().begin(NAME, FIRST, SECOND);
        await moment.reached;
        await node(SECOND).restartDocker("SIGKILL");
        await letGo();
        return moving().closed(id);
      });
      moment.close();
      await isWell(record.outcome === "committed" ? SECOND : FIRST);
      await backHome();
    });
  }

  it("ends with one copy, started anew with all of its files, when the destination's Docker dies after the workload has run there", async () => {
    const moment = await listenForStage(moving().fleet, "committed");
    // Docker is answered only when runc has ended: until then the workload runs, and Docker does not know.
    const record = await withHeldRunc(node(SECOND), "restore", async () => {
      const id = await moving().begin(NAME, FIRST, SECOND);
      await moment.reached;
      await moving().answersOn(NAME);
      await node(SECOND).restartDocker("SIGKILL");
      return moving().closed(id);
    });
    moment.close();
    expect(record).to.include({ outcome: "committed", result: "failed", errorCode: "PAGES_LOST" });
    await settledOn(moving().fleet, NAME, SECOND);
    expect(await moving().answersOn(NAME)).to.include({ wrongAnswers: 0, connectionKept: false });
    await moving.renew();
  });

  it("can be made afterwards, when nothing stands in the way any more", async () => {
    await moving().moveWell(NAME, FIRST, SECOND);
    await isWell(SECOND);
    await moving().moveWell(NAME, SECOND, FIRST);
    await isWell(FIRST);
  });
});
