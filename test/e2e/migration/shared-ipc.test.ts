import { expect } from "chai";
import { toContainerCreateOptions } from "../../../lab/workloads/container-spec.js";
import { type LabWorkload, WORKLOADS } from "../../../lab/workloads/workload-table.js";
import type { MigrationRecord } from "../../../platform/migration-record.js";
import { waitFor } from "../../support/wait-for.js";
import { withoutRestoreOf, withProgram } from "../support/broken-program.js";
import { expectKept } from "../support/expect-kept.js";
import { killedAt } from "../support/killed-at.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../support/moving-fleet.js";
import {
  ATTACHED_EACH,
  CLERKS,
  KEEPER,
  LETTERS,
  POD,
  POD_CLERK,
  POD_KEEPER,
  startPod,
  startSharers,
  startSharing,
} from "../support/shared-memory.js";
import { settledOn } from "../support/traces.js";

/** Brings their image to the node, and stays: nobody moves it with them. */
const BYSTANDER = WORKLOADS.find(({ name }) => name === "burner")!;
const ALL = [KEEPER, ...CLERKS];
const NAMES = ALL.map(({ name }) => name);

describe("Containers that share an IPC namespace", function () {
  this.timeout(600_000);
  let moving: MovingFleet;
  let here = FIRST;

  before(async () => {
    moving = await startMovingFleet("e2e-shared-ipc", [BYSTANDER], { asked: ALL, beside: (fleet) => startSharers(fleet, KEEPER, CLERKS) });
  });

  after(async () => {
    expect(await moving?.close()).to.deep.equal([]);
  });

  const other = () => (here === FIRST ? SECOND : FIRST);
  const wordsOf = (records: readonly MigrationRecord[]) =>
    records.map(({ name, errorCode, errorMessage }) => `${name} ${errorCode}: ${errorMessage}`);
  const blockersOf = (records: readonly MigrationRecord[]) =>
    records.flatMap((record) => record.blockers.map(({ code, message }) => `${record.name} ${code}: ${message}`));
  const shell = async (script: string, ...words: string[]) =>
    (await moving.fleet.lab.node(here).exec(["sh", "-c", script, ...words])).stdout.trim();
  const pidOf = async (name: string) => (await moving.fleet.lab.node(here).docker.getContainer(name).inspect()).State.Pid;

  /** What the kernel tells of the namespace: names and columns of one of its tables. */
  async function systemV(table: "shm" | "msg" | "sem"): Promise<Record<string, string>[]> {
    const text = await shell('nsenter -t "$0" -i cat "/proc/sysvipc/$1"', String(await pidOf(KEEPER.name)), table);
    const [names = [], ...rows] = text.split("\n").map((line) => line.trim().split(/\s+/));
    return rows.map((row) => Object.fromEntries(names.map((name, index) => [name, row[index]!])));
  }

  /** All on one node, in one IPC namespace with all that is in it, each with its connection, and nothing else left. Returns their records. */
  async function endTogether(ids: readonly string[]) {
    const records = await Promise.all(ids.map((id) => moving.closed(id)));
    expect(new Set(records.map(({ outcome }) => outcome)).size, wordsOf(records).join("\n")).to.equal(1);
    here = records[0]!.outcome === "committed" ? records[0]!.to : records[0]!.from;
    for (const name of NAMES) {
      await settledOn(moving.fleet, name, here);
      expectKept(await moving.answersOn(name));
    }
    const pids = (await Promise.all(NAMES.map(pidOf))).map(String);
    const namespaces = await shell('readlink $(printf "/proc/%s/ns/ipc " "$@")', "look", ...pids);
    expect(new Set(namespaces.split("\n")).size).to.equal(1);
    const boards = await shell('stat -L -c "%d %i" $(printf "/proc/%s/root/dev/shm/board " "$@")', "look", ...pids);
    expect(new Set(boards.split("\n")).size).to.equal(1);
    // The last is attached for a moment with each answer.
    const attached = [ALL.length, ATTACHED_EACH * ALL.length, 0].join();
    await waitFor(`attachments ${attached}`, async () => (await systemV("shm")).map(({ nattch }) => nattch).join() === attached);
    expect((await systemV("msg")).map(({ qnum }) => Number(qnum)).at(-1)).to.equal(LETTERS);
    expect(await moving.fleet.whereIs(BYSTANDER.name)).to.equal(FIRST);
    return records;
  }

  /** As the newest sample has them. */
  const sampled = (name: string) => moving.sampled(name, here);

  it("are one group to the scheduler, without a label", async () => {
    // A sample from before the others were started shows the keeper by itself.
    await waitFor("a sample that shows all as one group", async () => {
      const all = await Promise.all(NAMES.map(sampled));
      return all.every((each) => each?.labels["io.evenkeel.group"] === "IPC of keeper");
    });
  });

  for (const _ of ["there", "back"]) {
    it(`move ${_} as one, with what they share: System V memory, semaphores and queues, and files of /dev/shm`, async () => {
      const ids = async (table: "shm" | "msg" | "sem") =>
        (await systemV(table)).map((row) => `${row["key"]} ${Object.values(row)[1]} ${row["perms"]}`);
      const before = [await ids("shm"), await ids("msg"), await ids("sem")];
      const records = await endTogether(await moving.beginTogether(NAMES, here, other()));
      for (const record of records) expect(record, wordsOf(records).join("\n")).to.include({ result: "succeeded", outcome: "committed" });
      const at = (stage: string) => records.map(({ timeline }) => timeline.find((entry) => entry.stage === stage)!.at);
      expect(Math.max(...at("freeze"))).to.be.at.most(Math.min(...at("transfer")));
      expect([await ids("shm"), await ids("msg"), await ids("sem")]).to.deep.equal(before);
    });
  }

  it("are not moved one without the other", async () => {
    for (const name of NAMES) {
      const record = await moving.move(name, here, other());
      expect(record.errorCode).to.equal("PREFLIGHT_BLOCKED");
      expect(record.blockers.map(({ code }) => code)).to.deep.equal(["shared-namespace"]);
    }
    for (const name of NAMES) await settledOn(moving.fleet, name, here);
  });

  for (const [broken, mark] of [
    ["keeper", '"0"'],
    ["second clerk", '"2"'],
  ] as const) {
    it(`all stay when the ${broken} cannot be restored`, async () => {
      const ids = await withoutRestoreOf(moving.fleet.lab.node(other()), `'"--index",${mark}'`, async () => {
        const begun = await moving.beginTogether(NAMES, here, other());
        await Promise.all(begun.map((id) => moving.closed(id)));
        return begun;
      });
      const records = await endTogether(ids);
      expect(records.map(({ result }) => result)).to.not.include("succeeded");
      expect(wordsOf(records).join("\n")).to.include("RESTORE_FAILED");
    });
  }

  for (const [side, stage] of [
    ["source", "freeze"],
    ["source", "committed"],
    ["destination", "restore"],
    ["destination", "committed"],
  ] as const) {
    it(`end on one side when the ${side}'s executor is killed at ${stage}`, async () => {
      const node = side === "source" ? here : other();
      const ids = await killedAt(moving, stage, node, () => moving.beginTogether(NAMES, here, other()));
      await endTogether(ids);
    });
  }

  describe("with a file of /dev/shm open in two of them", () => {
    const writer: LabWorkload = { ...KEEPER, name: "writer", address: "10.77.0.145", macAddress: "02:45:4b:00:00:95" };
    const reader: LabWorkload = { ...KEEPER, name: "reader", address: "10.77.0.146", macAddress: "02:45:4b:00:00:96" };
    const pair = [writer.name, reader.name];
    const SHEET = "/dev/shm/sheet";
    const move = async () => Promise.all((await moving.beginTogether(pair, here, other())).map((id) => moving.closed(id)));

    before(async () => {
      const { docker } = moving.fleet.lab.node(here);
      const program = `import os, time; sheet = os.open("${SHEET}", os.O_RDWR | os.O_CREAT); time.sleep(3600)`;
      for (const [each, IpcMode] of [
        [writer, "shareable"],
        [reader, `container:${writer.name}`],
      ] as const) {
        await startSharing(docker, toContainerCreateOptions({ ...each, command: ["python3", "-S", "-B", "-c", program] }), { IpcMode });
      }
      await waitFor("both to have it open", async () => {
        const pids = (await Promise.all(pair.map(pidOf))).map(String);
        return (await shell(`ls -l $(printf "/proc/%s/fd " "$@") | grep -c ${SHEET}`, "look", ...pids)) === "2";
      });
    });

    it("stay when it loses its name after preflight, as each would have a file of its own", async () => {
      const pid = await pidOf(writer.name);
      const rsync = await shell("command -v rsync");
      // What runs while files are brought, which is after preflight and before the freeze.
      const records = await withProgram(
        moving.fleet.lab.node(here),
        rsync,
        `rm -f /proc/${pid}/root${SHEET}\nexec ${rsync}.real "$@"`,
        move,
      );
      const words = wordsOf(records).join("\n");
      expect(words).to.match(
        /^writer CHECKPOINT_FAILED: .*python3 \(\d+\) of writer and python3 \(\d+\) of reader have \/dev\/shm\/sheet \(deleted\) open/m,
      );
      for (const name of pair) await settledOn(moving.fleet, name, here);
    });

    it("are not moved when it has lost its name before, and told so", async () => {
      const records = await move();
      expect(blockersOf(records).join("\n"), wordsOf(records).join("\n")).to.match(/^writer shared-file-nameless: /);
    });
  });

  it("are not moved when some are left in a namespace that its owner has left", async () => {
    await moving.restart(KEEPER.name, here);
    const records = await Promise.all((await moving.beginTogether(NAMES, here, other())).map((id) => moving.closed(id)));
    const blockers = blockersOf(records);
    // Whichever is looked at first calls the others off.
    const left = CLERKS.map(
      ({ name }) => `${name} shared-namespace: keeper has been restarted, and it is left in the IPC namespace that was there before`,
    );
    expect(blockers, wordsOf(records).join("\n")).to.not.deep.equal([]);
    expect(left).to.include.members(blockers);
  });
});

describe("A container that has joined the IPC namespace of one that has joined another's network", function () {
  this.timeout(600_000);
  const all = [POD, POD_KEEPER, POD_CLERK];
  const names = all.map(({ name }) => name);
  let moving: MovingFleet;

  before(async () => {
    moving = await startMovingFleet("e2e-pod", [BYSTANDER], { asked: all, beside: startPod });
  });

  after(async () => {
    expect(await moving?.close()).to.deep.equal([]);
  });

  for (const [from, to, way] of [
    [FIRST, SECOND, "there"],
    [SECOND, FIRST, "and back"],
  ] as const) {
    it(`moves with both, ${way}`, async () => {
      const records = await Promise.all((await moving.beginTogether(names, from, to)).map((id) => moving.closed(id)));
      const words = records.map(({ name, errorMessage }) => `${name}: ${errorMessage}`).join("\n");
      for (const record of records) expect(record, words).to.include({ result: "succeeded", outcome: "committed" });
      for (const name of names) {
        await settledOn(moving.fleet, name, to);
        expectKept(await moving.answersOn(name));
      }
      const { docker } = moving.fleet.lab.node(to);
      const [pod, keeper, clerk] = await Promise.all(names.map((name) => docker.getContainer(name).inspect()));
      expect(keeper!.HostConfig.NetworkMode).to.equal(`container:${pod!.Id}`);
      expect(clerk!.HostConfig).to.include({ NetworkMode: `container:${pod!.Id}`, IpcMode: `container:${keeper!.Id}` });
    });
  }
});
