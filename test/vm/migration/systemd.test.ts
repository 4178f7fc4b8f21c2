import { expect } from "chai";
import { whyNoGuests } from "../../../lab/vm/guest.js";
import { WORKLOADS } from "../../../lab/workloads/workload-table.js";
import { API_BASE } from "../../../scheduler/protocol.js";
import { withHeldCriu } from "../../e2e/support/broken-program.js";
import { expectKept } from "../../e2e/support/expect-kept.js";
import { listenForStage } from "../../e2e/support/moments.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../../e2e/support/moving-fleet.js";
import { settledOn } from "../../e2e/support/traces.js";
import { installationWithoutDocker } from "../../support/scheduler-unit.js";
import { waitFor } from "../../support/wait-for.js";

const obstacle = whyNoGuests();
const WORKLOAD = WORKLOADS.find(({ name }) => name === "pair")!;
const UNITS = ["run-evenkeel.mount", "evenkeel-collector.service", "evenkeel-executor.service"];

describe(`Nodes on which systemd runs everything${obstacle === null ? "" : ` (skipped: ${obstacle})`}`, function () {
  this.timeout(1_800_000);
  let moving: MovingFleet;

  before(async function () {
    if (obstacle !== null) return this.skip();
    moving = await startMovingFleet("vm-systemd", [WORKLOAD], { kind: "vm" });
  });

  after(async () => {
    expect((await moving?.close()) ?? []).to.deep.equal([]);
  });

  const run = async (node: string, ...command: string[]) => (await moving.fleet.lab.node(node).exec(command)).stdout.trim();

  /** Waits until an address of the node's own gives an answer of which that is true. Emulated, beside others, a program takes minutes to start. */
  const says = (node: string, address: string, isIt: (answer: string) => boolean) =>
    waitFor(
      `${node} to say so at ${address}`,
      async () => {
        const ask = `import urllib.request; print(urllib.request.urlopen("http://127.0.0.1${address}").read().decode())`;
        return isIt(await run(node, "python3", "-c", ask));
      },
      { deadlineSeconds: 400, everyMilliseconds: 1000 },
    );

  it("run Evenkeel's units, installed as the documentation says", async () => {
    for (const name of [FIRST, SECOND]) {
      const node = moving.fleet.lab.node(name);
      for (const part of ["collector", "executor"]) await node.service(part)!.kill("SIGKILL");
      await run(name, "install", "-D", "-m", "600", moving.fleet.settings.configOf(name), "/etc/evenkeel/config.json");
      await run(name, "sh", "-c", "cp /opt/evenkeel/collector/systemd/* /opt/evenkeel/executor/systemd/* /etc/systemd/system/");
      await run(name, "systemctl", "daemon-reload");
      await run(name, "systemctl", "enable", "--now", ...UNITS);
      for (const port of [9101, 9102]) await says(name, `:${port}/healthz`, () => true);
      expect(await run(name, "findmnt", "--noheadings", "--output", "FSTYPE", "/run/evenkeel")).to.equal("tmpfs");
      expect(((await node.docker.info()) as { CgroupDriver: string }).CgroupDriver).to.equal("systemd");
    }
  });

  /** What the kernel says of its container's scope; a reload, in which systemd sets what it knows anew, may change none of it. */
  async function scopeOn(node: string): Promise<{ processes: number; memory: string; cpu: string }> {
    const { Id, State } = await moving.fleet.lab.node(node).docker.getContainer(WORKLOAD.name).inspect();
    await run(node, "systemctl", "daemon-reload");
    const folder = `/sys/fs/cgroup${await run(node, "systemctl", "show", "--property", "ControlGroup", "--value", `docker-${Id}.scope`)}`;
    const processes = (await run(node, "cat", `${folder}/cgroup.procs`)).split("\n");
    expect(processes).to.include(String(State.Pid));
    return {
      processes: processes.length,
      memory: await run(node, "cat", `${folder}/memory.max`),
      cpu: await run(node, "cat", `${folder}/cpu.max`),
    };
  }

  for (const [mode, from, to] of [
    ["precopy", FIRST, SECOND],
    ["stopcopy", SECOND, FIRST],
  ] as const) {
    it(`move a workload by ${mode}, and systemd knows it there with its limits`, async () => {
      const before = await scopeOn(from);
      expect(before.memory).to.equal(String(WORKLOAD.memoryLimitBytes));
      await moving.moveWell(WORKLOAD.name, from, to, mode);
      expectKept(await moving.answersOn(WORKLOAD.name));
      await settledOn(moving.fleet, WORKLOAD.name, to);
      expect(await scopeOn(to)).to.deep.equal(before);
    });
  }

  it("keep a frozen workload whole when systemd restarts the executor that holds it", async () => {
    const moment = await listenForStage(moving.fleet, "transfer");
    // The move must not be over before systemd has done it.
    const record = await withHeldCriu(moving.fleet.lab.node(SECOND), async (letGo) => {
      const id = await moving.begin(WORKLOAD.name, FIRST, SECOND, "stopcopy");
      await moment.reached;
      await run(FIRST, "systemctl", "restart", "evenkeel-executor");
      await letGo();
      return moving.closed(id);
    });
    moment.close();
    // Else it came too late, and has shown nothing.
    expect(await run(FIRST, "journalctl", "--unit", "evenkeel-executor")).to.include("taking up an interrupted migration");
    expectKept(await moving.answersOn(WORKLOAD.name));
    await settledOn(moving.fleet, WORKLOAD.name, record.outcome === "committed" ? SECOND : FIRST);
  });

  it("run the scheduler's unit, installed as the documentation says, which follows its file", async () => {
    const { lab, settings } = moving.fleet;
    const commands = installationWithoutDocker()
      .replaceAll("10.0.0.5", lab.control.address)
      .replace('"password": "…"', `"password": "${settings.redisPassword}"`);
    await lab.node(FIRST).exec(["sh", "-ec", commands], { cwd: "/opt/evenkeel", timeoutSeconds: 300 });
    const inForce = (mode: string) => says(FIRST, `:8080${API_BASE}/status`, (answer) => JSON.parse(answer).mode === mode);
    await inForce("observe");
    await run(FIRST, "sed", "-i", "s/observe/approve/", "/etc/evenkeel/scheduler/config.json");
    await inForce("approve");
  });
});
