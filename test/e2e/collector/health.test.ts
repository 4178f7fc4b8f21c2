import { expect } from "chai";
import { type NodeHealth, nodeSampleSchema } from "../../../collector/protocol.js";
import { type Fleet, startFleet } from "../../../lab/fleet/fleet.js";
import { startPart } from "../../../lab/fleet/parts.js";
import { WORKLOADS } from "../../../lab/workloads/workload-table.js";
import { listMigrations } from "../../../platform/migration-record.js";
import type { Answers } from "../../../scheduler/api-shapes.js";
import { API_BASE } from "../../../scheduler/protocol.js";
import { waitFor } from "../../support/wait-for.js";
import { importBusybox } from "../lab/busybox.js";
import { changeSettings } from "../support/change-settings.js";
import { expectKept } from "../support/expect-kept.js";
import { plugInFailingDisk, STAND_IN_MODEL } from "../support/failing-disk.js";
import { settledOn } from "../support/traces.js";

const GIBIBYTE = 1024 ** 3;
const MEBIBYTE = 1024 ** 2;
/** Reads a line without an end, and keeps all of it. */
const EATER = ["/bin/busybox", "tail", "/dev/zero"];
const OOM = "out-of-memory-kills";
const NODES = ["node1", "node2", "node3", "node4"];
const WEB = WORKLOADS.find(({ name }) => name === "web")!;

describe("Signs of failing on lab nodes with a real Docker", function () {
  this.timeout(600_000);
  let fleet: Fleet;

  const healthOf = async (node: string): Promise<NodeHealth | null> => {
    const text = await fleet.redis.get(fleet.keys.nodeSample(node));
    return text === null ? null : (nodeSampleSchema.parse(JSON.parse(text)).health ?? null);
  };
  const healthWhere = (node: string, what: string, fits: (health: NodeHealth) => boolean) =>
    waitFor(
      what,
      async () => {
        const health = await healthOf(node);
        return health !== null && fits(health) ? health : null;
      },
      { deadlineSeconds: 90 },
    );
  const has = (kind: string) => (health: NodeHealth) => health.signs.some((sign) => sign.kind === kind);
  const ask = async <T>(path: string) => (await (await fetch(`${fleet.url}${API_BASE}${path}`)).json()) as T;
  const suspect = async (node: string, sign: string) => {
    const answer = await waitFor(
      `${node} to be suspect for ${sign}`,
      async () => {
        const { nodes } = await ask<Answers["nodes"]>("/nodes");
        const found = nodes.find(({ id }) => id === node);
        return found?.state === "suspect" && found.because.includes(sign) ? found : null;
      },
      { deadlineSeconds: 150 },
    );
    return answer.because;
  };

  before(async () => {
    const nodes = NODES.map((name) => ({ name, cpuCores: 1, memoryBytes: GIBIBYTE }));
    fleet = await startFleet({ name: "e2e-health", nodes, withPrometheus: false, mode: "observe" });
  });
  after(async () => {
    expect(await fleet?.close()).to.deep.equal([]);
  });

  it("says what it cannot look for, and finds nothing on nodes that are well", async () => {
    const health = await healthWhere("node1", "a look", () => true);
    expect(health.signs).to.deep.equal([]);
    expect(health.unread.map(({ kind }) => kind))
      .to.not.include(OOM)
      .and.to.not.include("read-only-filesystem");
  });

  it("empties a node whose disk predicts its own failure, over the connection that a client has, and the plan names the sign", async () => {
    await fleet.runWorkload(WEB, "node4");
    const clients = await fleet.startClients([WEB]);
    const node = fleet.lab.node("node4");
    await plugInFailingDisk(node);
    await node.service("collector")!.kill("SIGKILL");
    await startPart(node, "collector", fleet.settings);
    expect(await suspect("node4", "disk-failing"))
      .to.contain(`disk-failing: /dev/sda (${STAND_IN_MODEL}): the disk predicts its own failure`)
      .and.to.contain("it is being emptied, 1 workload left");
    // What the mode `observe` only shows, `auto` does.
    const shown = await waitFor("the plan to empty it", async () => (await ask<Answers["plan"]>("/plan")).plan?.moves[0]);
    expect(shown).to.include({ from: "node4", reason: "health" });
    expect(shown.heldBack).to.be.a("string");
    await changeSettings(fleet, { scheduler: { mode: "auto" } });
    const record = await waitFor(
      "the move to end",
      async () => (await listMigrations(fleet.redis, fleet.keys)).find(({ closedAt }) => closedAt !== null),
      { deadlineSeconds: 120 },
    );
    await changeSettings(fleet, { scheduler: { mode: "observe" } });
    expect(record, record.errorMessage ?? "").to.include({ name: "web", from: "node4", reason: "health", result: "succeeded" });
    expect(record.because).to.contain("node4 may fail soon (disk-failing)");
    await settledOn(fleet, "web", record.to);
    const [before] = (await clients.report()).clients;
    await waitFor("it to answer there", async () => (await clients.report()).clients[0]!.requests > before!.requests + 3);
    expectKept((await clients.report()).clients[0]!);
    expect(await fleet.lab.node("node4").docker.listContainers()).to.deep.equal([]);
  });

  it("tells a container that reaches its own limit from a node that has no memory left", async () => {
    const { docker } = fleet.lab.node("node1");
    const image = await importBusybox(docker, fleet.lab.rootDirectory);
    const eat = async (name: string, hostConfig: object) => {
      const container = await docker.createContainer({ name, Image: image, Cmd: EATER, HostConfig: { OomScoreAdj: 1000, ...hostConfig } });
      await container.start();
      await container.wait();
      return container.inspect();
    };
    // Alive for a while, so that a sample has seen its limit.
    const own = await docker.createContainer({
      name: "own-limit",
      Image: image,
      Cmd: ["/bin/busybox", "sh", "-c", `/bin/busybox sleep 5; ${EATER.join(" ")}`],
      HostConfig: { Memory: 32 * MEBIBYTE, OomScoreAdj: 1000 },
    });
    await own.start();
    await own.wait();
    expect((await own.inspect()).State.OOMKilled, "killed at its own limit").to.equal(true);
    const { at } = await healthWhere("node1", "a look", () => true);
    const after = await healthWhere("node1", "two more looks", (health) => health.at > at + 10);
    expect(has(OOM)(after), JSON.stringify(after)).to.equal(false);

    expect((await eat("greedy", {})).State.OOMKilled, "killed at the node's limit").to.equal(true);
    await healthWhere("node1", "the sign", has(OOM));
    expect(await suspect("node1", OOM)).to.contain("nothing new is placed there");
  });

  it("sees that Docker's folder has really turned read-only", async () => {
    const node = fleet.lab.node("node2");
    await node.exec(["sh", "-c", "mount --bind /var/lib/docker /var/lib/docker && mount -o remount,bind,ro /var/lib/docker"]);
    try {
      const { signs } = await healthWhere("node2", "the sign", has("read-only-filesystem"));
      expect(signs[0]!.detail).to.match(/^\/var\/lib\/docker.* is on \/var\/lib\/docker, which is read-only$/);
      await suspect("node2", "read-only-filesystem");
    } finally {
      await node.exec(["umount", "/var/lib/docker"]);
    }
  });

  it("misses an executor that has been killed", async () => {
    await waitFor("each executor's report", async () => (await fleet.redis.hlen(fleet.keys.executors)) === NODES.length, {
      deadlineSeconds: 60,
    });
    await waitFor(
      "each to reach some peer",
      async () => {
        const now = Object.values(await fleet.redis.hgetall(fleet.keys.executors)).map((text) => JSON.parse(text) as { reached: string[] });
        return now.every(({ reached }) => reached.length > 0);
      },
      { deadlineSeconds: 60 },
    );
    const node = fleet.lab.node("node3");
    await node.exec(["pkill", "-KILL", "-f", "dist/executor/main.js"]);
    expect(await suspect("node3", "peers-lost")).to.match(/do not reach it|has not been heard/);
  });
});
