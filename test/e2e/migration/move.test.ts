import { text } from "node:stream/consumers";
import { expect } from "chai";
import { type LabWorkload, WORKLOADS } from "../../../lab/workloads/workload-table.js";
import { readMigration, STAGES, type StageProgress } from "../../../platform/migration-record.js";
import { expectForetold } from "../support/expect-foretold.js";
import { expectKept } from "../support/expect-kept.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../support/moving-fleet.js";
import { settledOn } from "../support/traces.js";

const MOVED = WORKLOADS.filter(({ name }) => name !== "burner-2");

describe("A move", function () {
  this.timeout(600_000);
  let moving: MovingFleet;

  before(async () => {
    moving = await startMovingFleet("e2e-move", MOVED);
  });

  after(async () => {
    expect(await moving?.close()).to.deep.equal([]);
  });

  const docker = (node: string) => moving.fleet.lab.node(node).docker;
  const inspect = async (node: string, name: string) => docker(node).getContainer(name).inspect();

  for (const workload of MOVED) {
    describe(`of ${workload.name}, which ${workload.character}`, () => {
      it("keeps its connection and its answers, there and back", async () => {
        for (const [from, to] of [
          [FIRST, SECOND],
          [SECOND, FIRST],
        ] as const) {
          const record = await moving.moveWell(workload.name, from, to);
          expect(record).to.include({ outcome: "committed", mode: "auto" });
          expectForetold(record, ["precopy", "stopcopy"]);
          expect(record.bytes["memory"]).to.be.greaterThan(4096);
          const stages = record.timeline.map(({ stage }) => stage);
          expect(stages).to.deep.equal(STAGES.filter((stage) => stage !== "precopy"));
          const times = record.timeline.map(({ at }) => at);
          expect(times).to.deep.equal(times.toSorted((a, b) => a - b));
          const sentBefore = (stage: string) => record.timeline.find((entry) => entry.stage === stage)!.bytes?.["memory"] ?? 0;
          expect(sentBefore("transfer")).to.equal(0);
          expect(sentBefore("restore")).to.equal(record.bytes["memory"]);
          const steps = ["images", "namespace", "start", "post-restore", "commit", "post-resume"].map((step) => record.restoreSteps[step]!);
          expect(steps).to.deep.equal(steps.toSorted((a, b) => a - b));
          expect(steps.at(-1)).to.be.lessThan(record.blackoutSeconds!);
          expectKept(await moving.answersOn(workload.name));
          await settledOn(moving.fleet, workload.name, to);
          for (const volume of workload.volumes) {
            const names = async (node: string) => (await docker(node).listVolumes()).Volumes.map(({ Name }) => Name);
            expect(await names(to)).to.include(volume.name);
            expect(await names(from)).to.not.include(volume.name);
          }
        }
      });
    });
  }

  it("of a server to which others connect all the time keeps the connection that was there", async () => {
    const web = MOVED.find(({ name }) => name === "web")!;
    const knocking = [
      "import socket, threading",
      "def knock():",
      "    while True:",
      "        try:",
      `            with socket.create_connection(("${web.address}", ${web.port}), timeout=5) as caller:`,
      '                caller.sendall(b"GET /small.bin HTTP/1.0\\r\\n\\r\\n")',
      "                while caller.recv(65536): pass",
      "        except OSError: pass",
      "for _ in range(4): threading.Thread(target=knock).start()",
    ].join("\n");
    const callers = await moving.fleet.lab.clients.spawn(["python3", "-c", knocking], { name: "callers" });
    try {
      await moving.moveWell(web.name, FIRST, SECOND);
      await moving.moveWell(web.name, SECOND, FIRST);
      expectKept(await moving.answersOn(web.name));
    } finally {
      await callers.kill("SIGKILL");
    }
  });

  it("that may take any live mode takes the one of which it expects the shortest blackout, there and back", async () => {
    for (const [from, to] of [
      [FIRST, SECOND],
      [SECOND, FIRST],
    ] as const) {
      const record = await moving.moveWell("rewriter", from, to, "auto+postcopy");
      expectForetold(record, ["precopy", "stopcopy", "postcopy"]);
      const whyNot = new Map(record.forecast!.others.map((each) => [each.mode, each.whyNot]));
      expect([...whyNot].filter(([, why]) => why === null).map(([mode]) => mode)).to.include.members(["stopcopy", "postcopy"]);
      expectKept(await moving.answersOn("rewriter"));
      await settledOn(moving.fleet, "rewriter", to);
    }
  });

  it("tells how much of the memory has crossed while it does", async () => {
    const seen: StageProgress[] = [];
    const subscriber = moving.fleet.redis.duplicate();
    await subscriber.subscribe(moving.fleet.keys.events);
    subscriber.on("message", (_channel, text) => {
      const { id } = JSON.parse(text) as { id?: string };
      if (id === undefined) return;
      void readMigration(moving.fleet.redis, moving.fleet.keys, id).then((record) => {
        if (record?.stage === "transfer" && record.progress !== null) seen.push(record.progress);
      });
    });
    try {
      await moving.moveWell("rewriter", FIRST, SECOND);
      await moving.moveWell("rewriter", SECOND, FIRST);
    } finally {
      subscriber.disconnect();
    }
    const words = JSON.stringify(seen);
    expect(
      seen.some(({ totalBytes = 0 }) => totalBytes > 256e6),
      words,
    ).to.equal(true);
    expect(
      seen.every(({ doneBytes, totalBytes = Number.POSITIVE_INFINITY }) => doneBytes! <= totalBytes),
      words,
    ).to.equal(true);
  });

  describe("of an image", () => {
    it("ships it to a node that lacks it, and does not to one that has it", async () => {
      const image = WORKLOADS.find(({ name }) => name === "web")!.image;
      await docker(SECOND).getImage(image).remove();
      const there = await moving.moveWell("web", FIRST, SECOND);
      expect(there.bytes["image"]).to.be.greaterThan(1_000_000);
      expect((await docker(SECOND).getImage(image).inspect()).Id).to.equal((await docker(FIRST).getImage(image).inspect()).Id);
      const back = await moving.moveWell("web", SECOND, FIRST);
      expect(back.bytes).to.not.have.property("image");
    });
  });

  describe("leaves a container that Docker treats as any other", () => {
    const workload: LabWorkload = MOVED.find(({ name }) => name === "pair")!;
    let original: Awaited<ReturnType<typeof inspect>>;

    const logs = async (node: string): Promise<string> =>
      (await docker(node).getContainer(workload.name).logs({ stdout: true, stderr: true, follow: false })).toString();

    const runInside = async (node: string, command: string[]): Promise<string> => {
      const exec = await docker(node).getContainer(workload.name).exec({ Cmd: command, AttachStdout: true, AttachStderr: true });
      return text(await exec.start({}));
    };

    /** All but Evenkeel's note of the migration that made the container. */
    const ownLabels = ({ Config }: typeof original) =>
      Object.fromEntries(Object.entries(Config.Labels).filter(([label]) => label !== "io.evenkeel.migration"));

    before(async () => {
      original = await inspect(FIRST, workload.name);
      await moving.moveWell(workload.name, FIRST, SECOND);
    });

    it("with the same name, command, environment, labels, limits and restart policy", async () => {
      const now = await inspect(SECOND, workload.name);
      expect(now.Name).to.equal(original.Name);
      expect(now.Config).to.deep.include({ Image: original.Config.Image, Cmd: original.Config.Cmd, Hostname: original.Config.Hostname });
      expect(now.Config.Env).to.have.members(original.Config.Env);
      expect(ownLabels(now)).to.deep.equal(ownLabels(original));
      for (const name of ["Memory", "NanoCpus", "RestartPolicy", "NetworkMode", "AutoRemove", "LogConfig"] as const) {
        expect(now.HostConfig[name], name).to.deep.equal(original.HostConfig[name]);
      }
    });

    it("with the same address and MAC", async () => {
      const { fleet } = (await inspect(SECOND, workload.name)).NetworkSettings.Networks;
      expect(fleet).to.include({ IPAddress: workload.address, MacAddress: workload.macAddress });
    });

    it("that `docker ps` lists as running", async () => {
      const [seen] = await docker(SECOND).listContainers({ filters: { name: [`^/${workload.name}$`] } });
      expect(seen).to.include({ State: "running", Image: workload.image });
    });

    it("that keeps the log lines of before and goes on with them", async () => {
      expect(await logs(SECOND)).to.include("ready");
      await runInside(SECOND, ["python3", "-S", "-c", "print('after the move', file=open('/proc/1/fd/1', 'w'))"]);
      expect(await logs(SECOND)).to.match(/ready[\s\S]*after the move/);
    });

    it("that `docker exec` enters, with the limits of its cgroup in force", async () => {
      const answer = await runInside(SECOND, ["python3", "-S", "-c", "import os; print('inside', os.getpid() > 1, os.uname().nodename)"]);
      expect(answer).to.include(`inside True ${original.Config.Hostname}`);
    });

    it("with the settings of its network namespace that it was given, and none of a restore's", async () => {
      const read = (name: string) => runInside(SECOND, ["python3", "-S", "-c", `print(open("/proc/sys/net/${name}").read())`]);
      expect(await read("core/somaxconn")).to.include("1024");
      expect(await read("ipv4/ip_local_port_range")).to.match(/20000\s30000/);
      expect(await read("ipv4/conf/all/arp_ignore")).to.match(/\b0\b/);
    });

    it("that `docker stop` and `docker start` end and begin anew", async () => {
      await docker(SECOND).getContainer(workload.name).stop();
      expect((await inspect(SECOND, workload.name)).State).to.include({ Running: false, ExitCode: 0 });
      await docker(SECOND).getContainer(workload.name).start();
      expect((await inspect(SECOND, workload.name)).State.Running).to.equal(true);
    });
  });
});
