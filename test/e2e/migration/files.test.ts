import { expect } from "chai";
import { toContainerCreateOptions } from "../../../lab/workloads/container-spec.js";
import { waitFor } from "../../support/wait-for.js";
import { withProgram } from "../support/broken-program.js";
import { FILE_KEEPER, FINGERPRINT, GUEST, GUEST_FOLDER, KEPT_FOLDER } from "../support/file-keeper.js";
import { listenForStage } from "../support/moments.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../support/moving-fleet.js";
import { rsyncThatEndsIt, SHORT_MAPPING } from "../support/short-mapping.js";

const { name } = FILE_KEEPER;
/** Takes longer to be brought than a file to be written. */
const LAYER_MIB = 64;
const FOLDERS = ["/data", "/outside", "/srv", "/etc", "/dev/shm", "/usr/lib"];

describe("The files of a workload that moves", function () {
  this.timeout(600_000);
  let moving: MovingFleet;
  const prints: Record<string, Map<string, string>> = {};

  const container = (node: string) => moving.fleet.lab.node(node).docker.getContainer(name);

  /** Runs Python in a container of that node and gives what it prints. */
  async function insideOf(who: string, node: string, program: string, ...args: string[]): Promise<string> {
    const machine = moving.fleet.lab.node(node);
    const docker = ["docker", "--host", `unix:///shared/${node}/docker.sock`];
    return (await machine.exec([...docker, "exec", who, "python3", "-S", "-c", program, ...args])).stdout;
  }
  const inside = (node: string, program: string, ...args: string[]) => insideOf(name, node, program, ...args);

  async function fingerprint(node: string): Promise<Map<string, string>> {
    const lines = (await inside(node, FINGERPRINT, ...FOLDERS)).split("\n");
    return new Map(lines.map((line) => [(JSON.parse(line) as { path: string }).path, line]));
  }

  /** What the program has said, line by line, without the headers of Docker's stream. */
  async function said(node: string): Promise<string[]> {
    const machine = moving.fleet.lab.node(node);
    const { stdout } = await machine.exec(["docker", "--host", `unix:///shared/${node}/docker.sock`, "logs", name]);
    return stdout.split("\n");
  }

  const hasSaid = (node: string, more: number) =>
    waitFor(`the program to go on`, async () => (await said(node)).length > more, { deadlineSeconds: 30, everyMilliseconds: 200 });

  before(async () => {
    moving = await startMovingFleet("e2e-files", [FILE_KEEPER], { asked: [] });
    await waitFor("the files", async () => (await said(FIRST)).includes("ready"), { deadlineSeconds: 30 });
    prints["before"] = await fingerprint(FIRST);
    await moving.moveWell(name, FIRST, SECOND);
    await hasSaid(SECOND, (await said(SECOND)).length + 20);
    prints["there"] = await fingerprint(SECOND);
    await moving.moveWell(name, SECOND, FIRST);
    await hasSaid(FIRST, (await said(FIRST)).length + 20);
    prints["back"] = await fingerprint(FIRST);
  });

  after(async () => {
    expect(await moving?.close()).to.deep.equal([]);
  });

  const of = (when: string, path: string) => JSON.parse(prints[when]!.get(path)!) as Record<string, unknown>;

  for (const when of ["there", "back"]) {
    it(`are the same ones, of the same contents, owner, mode, time and attributes, ${when}`, () => {
      const [before, after] = [prints["before"]!, prints[when]!];
      expect([...after.keys()].sort()).to.deep.equal([...before.keys()].sort());
      const different = [...before].filter(([path, line]) => after.get(path) !== line);
      const words = different.map(([path, line]) => `${line}\n${after.get(path)}`).join("\n");
      expect(different, words).to.deep.equal([]);
    });

    it(`are of every kind, ${when}`, () => {
      expect(of(when, "/data/sparse")).to.include({ sparse: true, size: 512 * 1024 ** 2 });
      expect(of(when, "/data/plain")).to.deep.include({
        "same as": "/data/plain",
        links: 2,
        attributes: { "user.colour": "626c756500677265656e" },
      });
      expect(of(when, "/data/deep/hard")["same as"]).to.equal("/data/plain");
      expect(of(when, "/data/dangling")["target"]).to.equal("../nowhere/at all");
      for (const path of ["/data/pipe", "/srv/pipe"]) expect(of(when, path)["mode"]).to.match(/^0o10/);
      expect(of(when, "/data/socket")["mode"]).to.match(/^0o140/);
      expect(of(when, "/outside/deep/one")).to.deep.include({ owner: [77, 78], size: 200_000 });
      expect(of(when, "/data/odd")).to.deep.include({ mode: "0o104751", owner: [1234, 4321] });
      expect(prints[when]!.get("/data/odd")).to.include("1000000000987654321");
      expect(of(when, "/dev/shm/tables/one")["mode"]).to.equal("0o100640");
      for (const path of ["/data/two\nlines", "/data/über 名前 ", "/etc/made-here"]) expect(prints[when]!.has(path), path).to.equal(true);
    });

    it(`lack what was deleted from the image, ${when}`, () => {
      expect(prints[when]!.has("/srv/pair.py")).to.equal(false);
      const replaced = [...prints[when]!.keys()].filter((path) => /\/python3[^/]*\/wsgiref\//.test(path));
      expect(replaced.map((path) => path.split("/").at(-1))).to.deep.equal(["only"]);
    });
  }

  it("are gone from the folder of the host that the workload has left, which itself stays", async () => {
    const look = await moving.fleet.lab.node(SECOND).exec(["find", KEPT_FOLDER]);
    expect(look.stdout).to.equal(KEPT_FOLDER);
  });

  it("are what the program left in them, when they are deleted, mapped, shared, written in place, fifos or sockets", async () => {
    const faults = (await said(FIRST)).filter((line) => line.startsWith("fault"));
    expect(faults, faults.join("\n")).to.deep.equal([]);
  });

  it("have no gap where the program appends, nor has its log", async () => {
    const isGapless = (numbers: readonly number[]) => numbers.findIndex((number, index) => number !== index + 1);
    const grown = (await inside(FIRST, "print(open('/data/grow').read())")).trim().split("\n").map(Number);
    expect(isGapless(grown)).to.equal(-1);
    const logged = (await said(FIRST)).filter((line) => /^\d+$/.test(line)).map(Number);
    expect(isGapless(logged)).to.equal(-1);
    expect(grown.length).to.be.greaterThan(100);
    expect(logged.length).to.be.greaterThan(100);
  });

  it("do not pile up: what the program deleted meanwhile is not there either", async () => {
    const passing = await inside(FIRST, "import os; print(*[name for name in os.listdir('/data') if name.startswith('passing-')])");
    expect(passing.split(" ").length).to.be.at.most(2);
  });

  it("come whole as well when memory follows them, and so does what the program prints until it stands still", async () => {
    for (const [from, to] of [
      [FIRST, SECOND],
      [SECOND, FIRST],
    ] as const) {
      expect((await moving.moveWell(name, from, to, "postcopy")).modeUsed).to.equal("postcopy");
      await hasSaid(to, (await said(to)).length + 20);
    }
    const lines = await said(FIRST);
    expect(lines.filter((line) => line.startsWith("fault"))).to.deep.equal([]);
    const logged = lines.filter((line) => /^\d+$/.test(line)).map(Number);
    expect(logged.findIndex((number, index) => number !== index + 1)).to.equal(-1);
    expect([...(await fingerprint(FIRST)).keys()].sort()).to.deep.equal([...prints["before"]!.keys()].sort());
  });

  it("hold what was written last through a mapping that ended between the last round and the freeze", async () => {
    await moving.fleet.runWorkload(SHORT_MAPPING, FIRST);
    const move = () => moving.moveWell(SHORT_MAPPING.name, FIRST, SECOND);
    await withProgram(moving.fleet.lab.node(FIRST), "/usr/bin/rsync", rsyncThatEndsIt(FIRST), move);
    expect(await insideOf(SHORT_MAPPING.name, SECOND, "print(open('/data/short', 'rb').read(8).decode())")).to.equal("the last");
  });

  describe("in a folder of the host", () => {
    const first = () => moving.fleet.lab.node(FIRST).docker;
    const refused = { result: "failed", errorCode: "PREFLIGHT_BLOCKED", outcome: "aborted" };

    afterEach(() => first().getContainer(GUEST.name).remove({ force: true }));

    it("do not go where a container uses that folder, though it is empty", async () => {
      await moving.fleet.runWorkload(GUEST, FIRST);
      const local = await moving.fleet.lab.node(SECOND).docker.createContainer({
        ...toContainerCreateOptions(GUEST),
        name: "local",
        Labels: {},
        HostConfig: { NetworkMode: "none", Binds: [`${GUEST_FOLDER}:/spool`] },
        NetworkingConfig: {},
      });
      await local.start();
      const record = await moving.move(GUEST.name, FIRST, SECOND);
      await local.remove({ force: true });
      expect(record).to.include(refused);
      expect(record.errorMessage).to.include(`bind-mount-taken: ${GUEST_FOLDER} is used here by local`);
      expect(await moving.fleet.whereIs(GUEST.name)).to.equal(FIRST);
    });

    it("leave alone what somebody put there after the move was offered", async () => {
      const more = `import os; open('/srv/more', 'wb').write(os.urandom(${LAYER_MIB} << 20))`;
      const { Image } = toContainerCreateOptions(GUEST);
      const builder = await first().createContainer({ Image, Cmd: ["python3", "-S", "-c", more], HostConfig: { NetworkMode: "none" } });
      await builder.start();
      await builder.wait();
      await builder.commit({ repo: "larger", tag: "1" });
      await builder.remove();
      await (await first().createContainer({ ...toContainerCreateOptions(GUEST), Image: "larger:1" })).start();
      const moment = await listenForStage(moving.fleet, "prepare");
      const id = await moving.begin(GUEST.name, FIRST, SECOND);
      await moment.reached;
      moment.close();
      const second = moving.fleet.lab.node(SECOND);
      await second.exec(["sh", "-c", `mkdir -p ${GUEST_FOLDER}; echo theirs >${GUEST_FOLDER}/theirs`]);
      const record = await moving.closed(id);
      expect(record).to.include(refused);
      expect(record.timeline.at(-1)!.stage).to.equal("prepare");
      expect(record.errorMessage).to.include(`bind-mount-taken: ${GUEST_FOLDER} holds something here already`);
      expect((await second.exec(["cat", `${GUEST_FOLDER}/theirs`])).stdout).to.equal("theirs");
      expect(await moving.fleet.whereIs(GUEST.name)).to.equal(FIRST);
    });
  });

  it("still belong to one container that can be stopped", async () => {
    await container(FIRST).stop({ t: 1 });
    expect((await container(FIRST).inspect()).State.Running).to.equal(false);
  });
});
