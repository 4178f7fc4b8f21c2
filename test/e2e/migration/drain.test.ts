import { expect } from "chai";
import { type Fleet, startFleet } from "../../../lab/fleet/fleet.js";
import { WORKLOADS } from "../../../lab/workloads/workload-table.js";
import { listMigrations } from "../../../platform/migration-record.js";
import type { NodeAnswer, WorkloadAnswer } from "../../../scheduler/api-shapes.js";
import { API_BASE } from "../../../scheduler/protocol.js";
import { waitFor } from "../../support/wait-for.js";
import { expectKept } from "../support/expect-kept.js";
import { OWNER, SIDE_CAR, startSideCars } from "../support/side-car.js";
import { settledOn } from "../support/traces.js";

const ALONE = WORKLOADS.filter(({ name }) => ["journal", "web"].includes(name));
const DRAINED = [...ALONE, OWNER, SIDE_CAR];
const DEADLINE = { deadlineSeconds: 90, everyMilliseconds: 250 };
/** Only what an operator asks for moves here, however busy the machine is. */
const POLICIES = {
  overload: { enabled: false },
  balance: { enabled: false },
  health: { enabled: false },
  headroom: { cpuRatio: 1, memoryRatio: 0.9 },
};

describe("A node under maintenance", function () {
  this.timeout(600_000);
  let fleet: Fleet;
  let clients: Awaited<ReturnType<Fleet["startClients"]>>;

  before(async () => {
    const nodes = ["node1", "node2"].map((name) => ({ name, cpuCores: 2, memoryBytes: 2 * 1024 ** 3 }));
    fleet = await startFleet({ name: "e2e-drain", nodes, withPrometheus: false, policies: POLICIES });
    for (const workload of ALONE) await fleet.runWorkload(workload, "node1");
    await startSideCars(fleet, [SIDE_CAR]);
    clients = await fleet.startClients(DRAINED);
    // Asked before a sample has shown the side-car, the scheduler would try to move its owner alone once, in vain.
    await waitFor("the scheduler to know all of them", async () => (await knownWorkloads()).length === DRAINED.length, DEADLINE);
  });

  after(async () => {
    expect(await fleet?.close()).to.deep.equal([]);
  });

  async function askApi(method: "PUT" | "DELETE", node: string): Promise<void> {
    const authorization = `Bearer ${fleet.settings.operatorToken}`;
    const body = method === "PUT" ? { body: JSON.stringify({ reason: "new fans" }) } : {};
    const headers = { authorization, ...(method === "PUT" ? { "content-type": "application/json" } : {}) };
    const answer = await fetch(`${fleet.url}${API_BASE}/nodes/${node}/maintenance`, { method, headers, ...body });
    expect(answer.status, await answer.text()).to.equal(200);
  }

  async function redisCli(...words: string[]): Promise<void> {
    const { control } = fleet.lab;
    await control.exec(["redis-cli", "-s", "/shared/redis.sock", "-a", fleet.settings.redisPassword, "--no-auth-warning", ...words]);
  }

  async function nodeAnswer(node: string): Promise<NodeAnswer> {
    const { nodes } = (await (await fetch(`${fleet.url}${API_BASE}/nodes`)).json()) as { nodes: NodeAnswer[] };
    const found = nodes.find(({ id }) => id === node);
    if (found === undefined) throw new Error(`the API does not know ${node}: ${JSON.stringify(nodes)}`);
    return found;
  }

  async function knownWorkloads(): Promise<readonly WorkloadAnswer[]> {
    return ((await (await fetch(`${fleet.url}${API_BASE}/workloads`)).json()) as { workloads: WorkloadAnswer[] }).workloads;
  }

  /** All workloads are on the other node, each over the connection it had, and the API says that the node is drained. */
  async function isEmptied(node: string, other: string): Promise<void> {
    const { docker } = fleet.lab.node(node);
    await waitFor(`${node} to be empty`, async () => (await docker.listContainers()).length === 0, DEADLINE);
    await waitFor(`${node} to count as drained`, async () => (await nodeAnswer(node)).drain?.state === "drained", DEADLINE);
    for (const { name } of DRAINED) {
      await settledOn(fleet, name, other);
      const before = await clients.report();
      const requests = (report: typeof before) => report.clients.find(({ workload }) => workload === name)!.requests;
      await waitFor(`${name} to answer`, async () => requests(await clients.report()) > requests(before) + 2, DEADLINE);
    }
    for (const client of (await clients.report()).clients) {
      expectKept(client);
    }
  }

  const isInService = (node: string) => waitFor(`${node} to be in service`, async () => (await nodeAnswer(node)).drain === null, DEADLINE);

  it("is emptied when the API asks for it, and takes part again when it no longer does", async () => {
    await askApi("PUT", "node1");
    await isEmptied("node1", "node2");
    await askApi("DELETE", "node1");
    await isInService("node1");
  });

  it("is emptied when somebody sets the flag with redis-cli", async () => {
    await redisCli("HSET", "{evenkeel}:maintenance", "node2", "on");
    await isEmptied("node2", "node1");
    await redisCli("HDEL", "{evenkeel}:maintenance", "node2");
    await isInService("node2");
  });

  it("is emptied when there is a file on it", async () => {
    await fleet.lab.node("node1").exec(["sh", "-c", "mkdir -p /etc/evenkeel && touch /etc/evenkeel/maintenance"]);
    await isEmptied("node1", "node2");
    await fleet.lab.node("node1").exec(["rm", "/etc/evenkeel/maintenance"]);
    await isInService("node1");
  });

  it("is not emptied onto a node that a file on it cordons, which keeps newcomers away until the file is gone", async () => {
    const { exec } = fleet.lab.node("node1");
    await exec(["sh", "-c", "echo odd noise >/etc/evenkeel/cordon"]);
    await waitFor("the cordon to be seen", async () => (await nodeAnswer("node1")).cordon[0]?.reason === "odd noise", DEADLINE);
    await askApi("PUT", "node2");
    const blocked = await waitFor("what is in the way", async () => (await nodeAnswer("node2")).drain?.remaining, DEADLINE);
    expect(new Set(blocked.map(({ status, because }) => `${status}: ${because}`))).to.deep.equal(
      new Set(["blocked: node1 is cordoned (odd noise)."]),
    );
    expect((await knownWorkloads()).map(({ node }) => node)).to.deep.equal(DRAINED.map(() => "node2"));
    await exec(["rm", "/etc/evenkeel/cordon"]);
    await isEmptied("node2", "node1");
    await askApi("DELETE", "node2");
    await isInService("node2");
  });

  it("lost no workload and needed one move for each, and moved the server and its side-car as one", async () => {
    const records = await listMigrations(fleet.redis, fleet.keys);
    expect(records.map(({ result, errorMessage }) => errorMessage ?? result)).to.deep.equal(Array(4 * DRAINED.length).fill("succeeded"));
    expect(new Set(records.map(({ reason }) => reason))).to.deep.equal(new Set(["maintenance"]));
    const sizes = records.map(({ name, members }) => `${name} with ${members.length}`);
    expect(new Set(sizes)).to.deep.equal(new Set(["journal with 0", "web with 0", "owner with 2", "side-car with 2"]));
  });
});
