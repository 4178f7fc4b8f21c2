import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Redis } from "ioredis";
import { type Keys, makeKeys } from "../../../platform/keys.js";
import { listMigrations } from "../../../platform/migration-record.js";
import type { Snapshot } from "../../../policies/types.js";
import type { ApprovalAnswer, NodeAnswer } from "../../../scheduler/api-shapes.js";
import type { AuditEntry } from "../../../scheduler/audit.js";
import type { Foresight } from "../../../scheduler/foresight.js";
import { API_BASE } from "../../../scheduler/protocol.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { type ReportedFleet, type ReportedNode, reportFleet } from "../../support/reported-fleet.js";
import { type RunningScheduler, runScheduler } from "../../support/running-scheduler.js";
import { waitFor } from "../../support/wait-for.js";

const LABELS = { "io.evenkeel.may-sleep": "true" };
const POLICIES = {
  overload: { holdSeconds: 2, settleSeconds: 0 },
  consolidate: { enabled: true, leadSeconds: 1, awakeSeconds: 0 },
};

describe("putting nodes to sleep and waking them", () => {
  let server: ThrowAwayRedis;
  let redis: Redis;
  let keys: Keys;
  let fleet: ReportedFleet;
  let scheduler: RunningScheduler;
  let folder: string;
  let sleeper: ReportedNode;

  /** The hook's command leaves a file: the real thing would press a button. */
  const touch = (what: string) => ({ command: ["touch", join(folder, `${what}-{node}`)] });
  const wasDone = (what: string) => waitFor(what, async () => (await readdir(folder)).includes(what));
  const start = async (power: object, mode = "auto") => {
    scheduler = await runScheduler(server, { scheduler: { mode, power }, policies: POLICIES });
  };
  const stateOf = async (id: string) =>
    (await scheduler.get<{ nodes: NodeAnswer[] }>(`${API_BASE}/nodes`)).nodes.find((node) => node.id === id)?.state;
  const isIn = (id: string, state: string) => waitFor(`${id} to be ${state}`, async () => (await stateOf(id)) === state);
  const audit = async (kind: string) =>
    (await scheduler.get<{ entries: AuditEntry[] }>(`${API_BASE}/audit?limit=200`)).entries.filter((entry) => entry.kind === kind);
  const switchOff = async () => {
    fleet.nodes.splice(fleet.nodes.indexOf(sleeper), 1);
    // A push that was under way may still come in.
    await waitFor("n3 to be silent", async () => (await redis.del(keys.nodeSample("n3"))) === 0);
  };
  const heat = () => {
    for (const workload of fleet.node("n1").workloads) workload.cpuUsedCores = 1.2;
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "evenkeel-power-"));
    server = await startRedis();
    redis = server.connect();
    keys = makeKeys();
    sleeper = { id: "n3", workloads: [], labels: LABELS };
    fleet = reportFleet(redis, keys, [
      { id: "n1", workloads: ["a", "b", "c"].map((name) => ({ name })) },
      { id: "n2", workloads: [{ name: "d", cpuUsedCores: 0.2 }] },
      sleeper,
    ]);
    await fleet.pushPast(10, 1);
    fleet.keepPushing();
  });
  afterEach(async () => {
    await fleet.stop();
    await scheduler.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("is done when nothing needs the node, and undone when something does; meanwhile it is asleep and not unknown", async () => {
    await start({ sleep: touch("sleep"), wake: touch("wake"), deadlineSeconds: 60 });
    await wasDone("sleep-n3");
    await isIn("n3", "asleep");
    const refused = await scheduler.send("POST", `${API_BASE}/migrations`, { workload: "a", to: "n3" });
    expect([refused.status, refused.body.error.facts["reason"]], "it may still report, and gets nothing").to.deep.equal([
      409,
      "target-asleep",
    ]);
    await switchOff();
    await isIn("n3", "asleep");
    const metrics = await (await fetch(`${scheduler.url}/metrics`)).text();
    expect(metrics).to.contain('evenkeel_node_state{node="n3",state="asleep"} 1').and.to.contain('{node="n3",state="unknown"} 0');
    const foreseen = async (drain: string[]) => {
      const { body } = await scheduler.send("POST", `${API_BASE}/what-if`, { drain });
      const { woken, moves } = body as unknown as Foresight;
      return [woken.map(({ node }) => node), [...new Set(moves.map(({ to }) => to))]];
    };
    expect(await foreseen(["n1", "n2"]), "what would need it would wake it").to.deep.equal([["n3"], ["n3"]]);
    expect(await stateOf("n3"), "and only asking does not").to.equal("asleep");
    heat();
    await wasDone("wake-n3");
    await isIn("n3", "waking");
    expect((await listMigrations(redis, keys)).filter(({ to }) => to === "n3")).to.deep.equal([]);
    fleet.nodes.push(sleeper);
    await waitFor("n3 to be awake", async () => ["level", "warming"].includes((await stateOf("n3"))!));
    await waitFor("the hot node's relief", async () => (await listMigrations(redis, keys)).some(({ reason }) => reason === "overload"));
    expect((await audit("node-woken"))[0]!.detail).to.match(/^Wakes n3: /);
    await waitFor("the audit to say so", async () => (await audit("node-awake")).length > 0);
    expect(await audit("node-awake")).to.have.length(1);
  });

  it("is done on a reading from after the node was closed for it, and not with what was started there meanwhile", async () => {
    fleet.nodes.splice(fleet.nodes.indexOf(sleeper), 1);
    await start({ sleep: touch("sleep"), wake: touch("wake"), deadlineSeconds: 60 });
    const isTold = (what: string) =>
      waitFor(`n3 to be told ${what}`, async () => (await redis.hget(keys.power, "n3"))?.includes(`"${what}"`) === true);
    await isTold("close");
    const refused = await scheduler.send("POST", `${API_BASE}/migrations`, { workload: "a", to: "n3" });
    expect(refused.body.error.facts["reason"]).to.equal("target-asleep");
    const late = reportFleet(redis, keys, [sleeper]);
    try {
      sleeper.workloads = [{ name: "late" }];
      await late.push();
      await isTold("awake");
      expect(await readdir(folder)).to.deep.equal([]);
      expect((await audit("node-awake"))[0]!.detail).to.contain("something has come there");
      sleeper.workloads = [];
      late.keepPushing();
      await isTold("close");
      const { since } = JSON.parse((await redis.hget(keys.power, "n3"))!) as { since: number };
      await wasDone("sleep-n3");
      expect((await audit("node-put-to-sleep"))[0]!.at - since, "only a reading that is surely younger").to.be.greaterThan(3);
    } finally {
      await late.stop();
    }
  });

  it("rests on what the scheduler remembers of each workload, from sample to sample", async () => {
    await start({ sleep: touch("sleep"), wake: touch("wake") });
    await waitFor("a second's worth of memory", async () => {
      const { snapshot } = await scheduler.get<{ snapshot: Snapshot }>(`${API_BASE}/snapshot`);
      const d = snapshot.workloads.find(({ name }) => name === "d");
      return d?.cpuPast?.mean === 0.2 && d.cpuPast.seconds >= 1;
    });
  });

  it("leaves a node that does not wake unknown, like any that is silent", async () => {
    // While n3 still reports it must not be over: the node would count as awake again.
    await start({ sleep: touch("sleep"), wake: touch("wake"), deadlineSeconds: 6 });
    await wasDone("sleep-n3");
    await switchOff();
    await isIn("n3", "asleep");
    heat();
    await wasDone("wake-n3");
    await isIn("n3", "unknown");
  });

  it("calls a node again that has not come, unknown as it is: whoever woke it may have stopped before the hook ran", async () => {
    await switchOff();
    await redis.hset(keys.power, "n3", JSON.stringify({ told: "wake", since: Date.now() / 1000 - 600 }));
    await start({ sleep: touch("sleep"), wake: touch("wake"), deadlineSeconds: 3 });
    await wasDone("wake-n3");
    expect(await stateOf("n3")).to.equal("unknown");
    await rm(join(folder, "wake-n3"));
    await wasDone("wake-n3");
    // The two oldest: a slow test may meet the third.
    const [second, first] = (await audit("node-woken")).slice(-2);
    expect(second!.at - first!.at, "not at each tick").to.be.greaterThan(3);
    expect(second!.detail).to.match(/^Wakes n3 again: it was woken 6\d\d s ago and has not reported since\.$/);
    fleet.nodes.push(sleeper);
    await waitFor("n3 to be awake", async () => (await audit("node-awake")).some(({ detail }) => detail === "it reports again"));
  });

  it("wakes another when a hook fails, and keeps in mind which one it could not wake", async () => {
    await switchOff();
    for (const id of ["n3", "n4"]) {
      await redis.zadd(keys.nodes, Date.now() / 1000 - 600, id);
      await redis.hset(keys.power, id, JSON.stringify({ told: "sleep", since: Date.now() / 1000 - 600 }));
    }
    const path = join(folder, "wake-");
    const wake = { command: ["sh", "-c", `test "$0" != n3 && touch ${path}$0`, "{node}"] };
    heat();
    await start({ sleep: touch("sleep"), wake, deadlineSeconds: 60 });
    await wasDone("wake-n4");
    await isIn("n4", "waking");
    expect((await audit("wake-failed")).map(({ node }) => node)).to.deep.equal(["n3"]);
    expect(await stateOf("n3")).to.equal("asleep");
    expect(JSON.parse((await redis.hget(keys.power, "n3"))!)).to.have.property("failedAt");
  });

  it("takes a node that goes on reporting for awake, and lets it be when a hook fails", async () => {
    await start({ sleep: { command: ["false"] }, wake: touch("wake") });
    const [failed] = await waitFor("the failure", async () => {
      const entries = await audit("sleep-failed");
      return entries.length > 0 && entries;
    });
    expect(failed!.node).to.equal("n3");
    await isIn("n3", "level");
    expect(await redis.hget(keys.power, "n3")).to.contain('"awake"');
  });

  it("waits for an operator in mode approve, who approves it node by node, and is told what is not done and why", async () => {
    await start({ sleep: touch("sleep"), wake: touch("wake"), deadlineSeconds: 60 }, "approve");
    await waitFor("the wish", async () => {
      const { plan } = await scheduler.get<{ plan: { power: { node: string; heldBack: string | null }[] } | null }>(`${API_BASE}/plan`);
      return plan?.power.some(
        ({ node, heldBack }) => node === "n3" && heldBack === "mode approve: waits for an operator (`evenkeel approve`)",
      );
    });
    const approve = async (body: object) =>
      (await scheduler.send("POST", `${API_BASE}/plan/approve`, body)).body as unknown as ApprovalAnswer;
    // Moves alone, or another node's power, are not this node's.
    expect((await approve({ moves: [] })).power).to.deep.equal([]);
    expect((await approve({ power: [{ node: "n1", to: "sleep" }] })).powerDropped).to.deep.equal([
      { node: "n1", to: "sleep", because: "it is no longer called for" },
    ]);
    expect(await readdir(folder)).to.deep.equal([]);
    const { power, powerDropped } = await approve({ power: [{ node: "n3", to: "sleep" }] });
    expect([power, powerDropped]).to.deep.equal([[{ node: "n3", to: "sleep" }], []]);
    await wasDone("sleep-n3");
    await isIn("n3", "asleep");
    expect((await audit("plan-approved"))[0]!.detail).to.equal("0 moves started; power of n3 changed");
    await switchOff();
    heat();
    await wasDone("wake-n3");
  });

  it("is asked for over HTTP just as well, and only in mode auto; what sleeps is woken in every mode", async () => {
    const asked: string[] = [];
    const button = createServer((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers["x-key"]}`);
      response.end();
    });
    await new Promise<void>((resolve) => button.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(button.address() as AddressInfo).port}`;
    const hook = (what: string) => ({ url: `${url}/${what}/{node}`, headers: { "x-key": "k" } });
    const power = { sleep: hook("off"), wake: hook("on"), deadlineSeconds: 60 };
    try {
      await start(power, "observe");
      const { plan } = await waitFor("the wish", async () => {
        const answer = await scheduler.get<{ plan: { power: { heldBack: string | null }[] } | null }>(`${API_BASE}/plan`);
        return (answer.plan?.power.length ?? 0) > 0 && answer;
      });
      expect(plan!.power.map(({ heldBack }) => heldBack)).to.deep.equal(["mode observe: nothing is put to sleep"]);
      await scheduler.close();
      expect(asked).to.deep.equal([]);
      await start(power);
      await waitFor("the button", () => asked.includes("POST /off/n3 k"));
      await switchOff();
      await isIn("n3", "asleep");
      await scheduler.close();
      await start(power, "observe");
      heat();
      await waitFor("the other button", () => asked.includes("POST /on/n3 k"));
    } finally {
      button.closeAllConnections();
      button.close();
    }
  });
});
