import { expect } from "chai";
import { type NodeHealth, nodeSampleSchema } from "../../../collector/protocol.js";
import { type Fleet, startFleet } from "../../../lab/fleet/fleet.js";
import type { NodeAnswer } from "../../../scheduler/api-shapes.js";
import { API_BASE } from "../../../scheduler/protocol.js";
import { waitFor } from "../../support/wait-for.js";
import { importBusybox } from "../lab/busybox.js";

const GIBIBYTE = 1024 ** 3;
const MEBIBYTE = 1024 ** 2;
/** Reads a line without an end, and keeps all of it. */
const EATER = ["/bin/busybox", "tail", "/dev/zero"];
const OOM = "out-of-memory-kills";

describe("Signs of failing on lab nodes with a real Docker", function () {
  this.timeout(240_000);
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
  const suspect = async (node: string, sign: string) => {
    const answer = await waitFor(
      `${node} to be suspect for ${sign}`,
      async () => {
        const { nodes } = (await (await fetch(`${fleet.url}${API_BASE}/nodes`)).json()) as { nodes: NodeAnswer[] };
        const found = nodes.find(({ id }) => id === node);
        return found?.state === "suspect" && found.because.includes(sign) ? found : null;
      },
      { deadlineSeconds: 150 },
    );
    return answer.because;
  };

  before(async () => {
    const nodes = ["node1", "node2", "node3"].map((name) => ({ name, cpuCores: 1, memoryBytes: GIBIBYTE }));
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
    const { at } = (await healthOf("node1"))!;
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
    await waitFor("each executor's report", async () => (await fleet.redis.hlen(fleet.keys.executors)) === 3, { deadlineSeconds: 60 });
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
