import { Queue } from "bullmq";
import { expect } from "chai";
import type { Redis } from "ioredis";
import { type Keys, makeKeys } from "../../../platform/keys.js";
import { createMigration, listMigrations } from "../../../platform/migration-record.js";
import type { NodeAnswer, StatusAnswer } from "../../../scheduler/api-shapes.js";
import type { AuditEntry } from "../../../scheduler/audit.js";
import { API_BASE } from "../../../scheduler/protocol.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { containerIdOf, type ReportedFleet, type ReportedNode, reportFleet } from "../../support/reported-fleet.js";
import { type RunningScheduler, runScheduler } from "../../support/running-scheduler.js";
import { waitFor } from "../../support/wait-for.js";

const POLICIES = { overload: { holdSeconds: 5, settleSeconds: 0 }, cooldownSeconds: 600 };

describe("the scheduler", () => {
  let server: ThrowAwayRedis;
  let redis: Redis;
  let keys: Keys;
  let fleet: ReportedFleet;
  const schedulers: RunningScheduler[] = [];
  const queues: Queue[] = [];

  const start = async (options: Parameters<typeof runScheduler>[1] = {}) => {
    const scheduler = await runScheduler(server, { policies: POLICIES, ...options });
    schedulers.push(scheduler);
    return scheduler;
  };
  const report = async (nodes: ReportedNode[]) => {
    fleet = reportFleet(redis, keys, nodes);
    await fleet.pushPast(15, 1);
    fleet.keepPushing();
  };
  const jobsOn = async (node: string) => {
    const queue = new Queue(keys.migrateQueue(node), { connection: server.connect(), prefix: keys.queuePrefix });
    queues.push(queue);
    return queue.getJobs();
  };
  const stateOf = async (scheduler: RunningScheduler, id: string) => {
    const { nodes } = await scheduler.get<{ nodes: NodeAnswer[] }>(`${API_BASE}/nodes`);
    return nodes.find((node) => node.id === id);
  };
  const ticks = async (scheduler: RunningScheduler, count: number) => {
    const counted = async () => {
      const text = await scheduler.registry.getSingleMetricAsString("evenkeel_tick_duration_seconds");
      return Number(/_count (\d+)/.exec(text)?.[1] ?? 0);
    };
    const before = await counted();
    await waitFor(`${count} more ticks`, async () => (await counted()) >= before + count);
  };

  beforeEach(async () => {
    server = await startRedis();
    redis = server.connect();
    keys = makeKeys();
  });
  afterEach(async () => {
    await fleet?.stop();
    await Promise.all(queues.splice(0).map((queue) => queue.close()));
    await Promise.all(schedulers.splice(0).map((scheduler) => scheduler.close()));
    await server.close();
  });

  const hot = (): ReportedNode[] => [
    {
      id: "n1",
      workloads: [
        { name: "burn", cpuUsedCores: 1.2 },
        { name: "web", cpuUsedCores: 1.5 },
        { name: "db", cpuUsedCores: 1 },
      ],
    },
    { id: "n2", workloads: [{ name: "quiet" }] },
    { id: "n3", workloads: [] },
  ];

  it("cools a hot node in mode auto: one job on its own queue, once, though ticks repeat", async () => {
    await report(hot());
    const scheduler = await start({ scheduler: { mode: "auto" } });
    const jobs = await waitFor("a job", async () => {
      const found = await jobsOn("n1");
      return found.length > 0 && found;
    });
    await ticks(scheduler, 5);
    const records = await listMigrations(redis, keys);
    expect(records).to.have.length(1);
    expect(records[0]).to.include({ from: "n1", reason: "overload", stage: "queued", outcome: "pending" });
    expect((await jobsOn("n1")).map(({ id, data }) => [id, data])).to.deep.equal([[records[0]!.id, { migrationId: records[0]!.id }]]);
    expect(jobs).to.have.length(1);
    expect(await jobsOn("n2")).to.have.length(0);
    expect((await stateOf(scheduler, "n1"))?.state).to.equal("overloaded");
  });

  it("only plans in mode observe, and says so", async () => {
    await report(hot());
    const scheduler = await start({ scheduler: { mode: "observe" } });
    const plan = await waitFor("a planned move", async () => {
      const answer = await scheduler.get<{ plan: { moves: { heldBack: string | null }[] } | null }>(`${API_BASE}/plan`);
      return (answer.plan?.moves.length ?? 0) > 0 && answer.plan;
    });
    await ticks(scheduler, 3);
    expect(plan.moves[0]?.heldBack).to.contain("observe");
    expect(await listMigrations(redis, keys)).to.deep.equal([]);
  });

  it("drains in mode observe past a hot node whose relief is only shown and would take the same place", async () => {
    await report(hot());
    const scheduler = await start({ scheduler: { mode: "observe" }, policies: { overload: { holdSeconds: 2, settleSeconds: 0 } } });
    await waitFor("n1 to be hot", async () => (await stateOf(scheduler, "n1"))?.state === "overloaded");
    await redis.hset(keys.maintenance, "n2", "new disk");
    const records = await waitFor("the drain's move", async () => {
      const found = await listMigrations(redis, keys);
      return found.length > 0 && found;
    });
    expect(records).to.have.length(1);
    expect(records[0]).to.include({ name: "quiet", from: "n2", to: "n3", reason: "maintenance" });
  });

  it("makes an approved plan in mode approve", async () => {
    await report(hot());
    const scheduler = await start({ scheduler: { mode: "approve" } });
    await waitFor("a planned move", async () => {
      const answer = await scheduler.get<{ plan: { moves: unknown[] } | null }>(`${API_BASE}/plan`);
      return (answer.plan?.moves.length ?? 0) > 0;
    });
    expect(await listMigrations(redis, keys)).to.deep.equal([]);
    const answer = await scheduler.send("POST", `${API_BASE}/plan/approve`, {});
    expect(answer.status).to.equal(201);
    expect(answer.body.started).to.have.length(1);
    expect(await jobsOn("n1")).to.have.length(1);
    const stale = await scheduler.send("POST", `${API_BASE}/plan/approve`, { moves: [{ workload: "gone", to: "n3" }] });
    expect(stale.body).to.deep.include({ started: [], dropped: [{ workload: "gone", to: "n3" }] });
  });

  it("holds balancing back while a no-moves window is open", async () => {
    await report(hot());
    const windows = [{ cron: "* * * * *", durationMinutes: 5, action: "no-moves" }];
    const scheduler = await start({ scheduler: { mode: "auto", windows } });
    await ticks(scheduler, 5);
    const { openWindows } = await scheduler.get<StatusAnswer>(`${API_BASE}/status`);
    expect(openWindows.map(({ action, node }) => [action, node])).to.deep.equal([["no-moves", null]]);
    expect((await stateOf(scheduler, "n1"))?.state).to.equal("overloaded");
    expect(await listMigrations(redis, keys)).to.deep.equal([]);
  });

  for (const [how, flag] of [
    ["the API", (scheduler: RunningScheduler) => scheduler.send("PUT", `${API_BASE}/nodes/n2/maintenance`, { reason: "disk" })],
    ["redis-cli", () => redis.hset(keys.maintenance, "n2", "disk")],
    [
      "a file on the node",
      () => {
        fleet.node("n2").maintenanceFile = "disk";
      },
    ],
  ] as const) {
    it(`empties a node flagged by ${how}, in any mode`, async () => {
      await report([
        { id: "n1", workloads: [] },
        { id: "n2", workloads: [{ name: "a" }] },
      ]);
      const scheduler = await start({ scheduler: { mode: "observe" } });
      await flag(scheduler);
      const record = await waitFor("the move", async () => (await listMigrations(redis, keys))[0]);
      expect(record).to.include({ name: "a", from: "n2", to: "n1", reason: "maintenance" });
      expect(await jobsOn("n2")).to.have.length(1);
      const node = await stateOf(scheduler, "n2");
      expect(node?.state).to.equal("draining");
      expect(node?.maintenance.map(({ reason }) => reason)).to.deep.equal(["disk"]);
    });
  }

  it("opens all that move as one at once, with one job, and moves no other with them", async () => {
    const member = { labels: { "io.evenkeel.group": "shop" } };
    const first = { id: "n1", workloads: [{ name: "front", ...member }, { name: "back", ...member }, { name: "other" }] };
    await report([first, { id: "n2", workloads: [] }]);
    const scheduler = await start();
    await ticks(scheduler, 1);
    const { status } = await scheduler.send("POST", `${API_BASE}/migrations`, { workload: "front", to: "n2" });
    expect(status).to.equal(201);
    const records = await listMigrations(redis, keys);
    expect(records.map(({ name }) => name).sort()).to.deep.equal(["back", "front"]);
    for (const { members } of records) expect([...members].sort()).to.deep.equal(records.map(({ id }) => id).sort());
    expect((await jobsOn("n1")).map(({ data }) => data.migrationId)).to.deep.equal([records.find(({ name }) => name === "front")!.id]);
  });

  it("moves none of a group when one of it may not go there", async () => {
    const member = (more: Record<string, string> = {}) => ({ labels: { "io.evenkeel.group": "shop", ...more } });
    const first = {
      id: "n1",
      workloads: [
        { name: "front", ...member() },
        { name: "back", ...member({ "io.evenkeel.mode": "never" }) },
      ],
    };
    await report([first, { id: "n2", workloads: [] }]);
    const scheduler = await start();
    await ticks(scheduler, 1);
    const refused = await scheduler.send("POST", `${API_BASE}/migrations`, { workload: "front", to: "n2" });
    expect(refused.body).to.have.nested.property("error.code", "MOVE_REFUSED");
    expect(await listMigrations(redis, keys)).to.deep.equal([]);
  });

  it("empties a node while a maintenance window for it is open", async () => {
    await report([
      { id: "n1", workloads: [] },
      { id: "n2", workloads: [{ name: "a" }] },
    ]);
    const windows = [{ cron: "* * * * *", timeZone: "Europe/Berlin", durationMinutes: 5, action: "maintenance", node: "n2" }];
    await start({ scheduler: { windows } });
    const record = await waitFor("the move", async () => (await listMigrations(redis, keys))[0]);
    expect(record).to.include({ from: "n2", to: "n1", reason: "maintenance" });
  });

  it("calls a node drained only when its own sample shows it empty and no migration touches it", async () => {
    await report([
      { id: "n1", workloads: [] },
      { id: "n2", workloads: [{ name: "a" }] },
    ]);
    const scheduler = await start();
    await scheduler.send("PUT", `${API_BASE}/nodes/n2/maintenance`, {});
    const drain = async () =>
      (await scheduler.get<{ drain: { state: string; remaining: { status: string }[] } }>(`${API_BASE}/drains/n2`)).drain;
    const record = await waitFor("the move", async () => (await listMigrations(redis, keys))[0]);
    expect((await drain()).remaining.map(({ status }) => status)).to.deep.equal(["moving"]);
    fleet.node("n1").workloads = fleet.node("n2").workloads;
    fleet.node("n2").workloads = [];
    await ticks(scheduler, 2);
    expect((await drain()).state).to.equal("draining");
    await redis.hset(keys.migration(record.id), { closedAt: 1, outcome: "committed", result: "succeeded" });
    await redis.multi().srem(keys.openMigrations, record.id).zadd(keys.closedMigrations, 1, record.id).exec();
    await waitFor("drained", async () => (await drain()).state === "drained");
    await redis.del(keys.nodeSample("n2"));
    await fleet.stop();
    await redis.del(keys.nodeSample("n2"));
    expect((await drain()).state).to.equal("unknown");
  });

  it("takes a silent or unreadable node for unknown, never for an idle one", async () => {
    await report(hot());
    await fleet.stop();
    await redis.del(keys.nodeSample("n2"));
    const { workloads: _, ...withoutWorkloads } = JSON.parse((await redis.get(keys.nodeSample("n3")))!) as Record<string, unknown>;
    await redis.set(keys.nodeSample("n3"), JSON.stringify(withoutWorkloads));
    const scheduler = await start({ scheduler: { mode: "auto" } });
    await ticks(scheduler, 2);
    expect(await stateOf(scheduler, "n2")).to.include({ state: "unknown", cpuRatio: null });
    expect((await stateOf(scheduler, "n3"))?.because).to.contain("workloads");
    expect(await listMigrations(redis, keys)).to.deep.equal([]);
    await redis.set(keys.nodeSample("n3"), "{broken");
    await waitFor("the new trouble", async () => (await stateOf(scheduler, "n3"))?.because.includes("not JSON"));
  });

  it("has one leader among two schedulers; the other serves reads, hands changes over, and takes over", async () => {
    await report([
      { id: "n1", workloads: [{ name: "a" }] },
      { id: "n2", workloads: [] },
    ]);
    const first = await start();
    await waitFor("the first to lead", () => first.term() === 1);
    const second = await start();
    await waitFor("a plan", async () => (await second.get<{ plan: unknown }>(`${API_BASE}/plan`)).plan);
    const status = await second.get<StatusAnswer>(`${API_BASE}/status`);
    expect(status.isLeader).to.equal(false);
    expect(status.leader).to.include({ term: 1, url: first.url });
    const moved = await second.send("POST", `${API_BASE}/migrations`, { workload: "a", to: "n2" });
    expect(moved.status).to.equal(201);
    expect((await jobsOn("n1")).map(({ id }) => id)).to.deep.equal([moved.body.migration.id]);
    await first.close();
    await waitFor("the second to lead", () => second.term() === 2);
    schedulers.splice(schedulers.indexOf(first), 1);
  });

  it("delivers a job again when its record is open, silent, and without one", async () => {
    await report([
      { id: "n1", workloads: [{ name: "a" }] },
      { id: "n2", workloads: [] },
    ]);
    const record = { workload: containerIdOf("a"), name: "a", containerId: containerIdOf("a"), from: "n1", to: "n2" };
    const minuteAgo = Date.now() / 1000 - 60;
    await createMigration(redis, keys, { ...record, id: "m-lost", reason: "operator", because: "", mode: "auto" }, minuteAgo, 0);
    const scheduler = await start();
    const jobs = await waitFor("the job", async () => {
      const found = await jobsOn("n1");
      return found.length > 0 && found;
    });
    await ticks(scheduler, 3);
    expect(jobs.map(({ id }) => id)).to.deep.equal(["m-lost"]);
    expect(await jobsOn("n1")).to.have.length(1);
    const { entries } = await scheduler.get<{ entries: AuditEntry[] }>(`${API_BASE}/audit`);
    expect(entries.filter(({ kind }) => kind === "job-restored")).to.have.length(1);
  });

  it("reports a workload that runs on two nodes, once, and keeps its hands off it", async () => {
    const labels = { "io.evenkeel.workload": "twin" };
    await report([
      { id: "n1", workloads: [{ name: "twin-a", labels }] },
      { id: "n2", workloads: [{ name: "twin-b", labels }] },
      { id: "n3", workloads: [] },
    ]);
    const scheduler = await start();
    await ticks(scheduler, 3);
    const { entries } = await scheduler.get<{ entries: AuditEntry[] }>(`${API_BASE}/audit`);
    expect(entries.filter(({ kind, workload }) => kind === "conflict" && workload === "twin")).to.have.length(1);
    const refused = await scheduler.send("POST", `${API_BASE}/migrations`, { workload: "twin", to: "n3" });
    expect(refused.status).to.equal(409);
    await scheduler.send("PUT", `${API_BASE}/nodes/n1/maintenance`, {});
    await ticks(scheduler, 3);
    const { drain } = await scheduler.get<{ drain: { state: string; remaining: { status: string }[] } }>(`${API_BASE}/drains/n1`);
    expect(drain.state).to.equal("draining");
    expect(drain.remaining.map(({ status }) => status)).to.deep.equal(["blocked"]);
    expect(await listMigrations(redis, keys)).to.deep.equal([]);
  });

  it("drops the series of a node that is gone", async () => {
    await report([
      { id: "n1", workloads: [] },
      { id: "n2", workloads: [] },
    ]);
    const scheduler = await start();
    const metrics = async () => (await fetch(`${scheduler.url}/metrics`)).text();
    await waitFor("both nodes", async () => (await metrics()).includes('evenkeel_node_sample_age_seconds{node="n2"}'));
    await waitFor("it to lead", async () => /^evenkeel_leader 1$/m.test(await metrics()));
    fleet.nodes.pop();
    await redis.zrem(keys.nodes, "n2");
    await waitFor("n2 to go", async () => !(await metrics()).includes('"n2"'));
    expect(await metrics()).to.contain('node="n1"');
  });

  it("forgets a silent node when asked to, but not one that reports", async () => {
    await report([
      { id: "n1", workloads: [] },
      { id: "n2", workloads: [] },
    ]);
    const scheduler = await start();
    expect((await scheduler.send("DELETE", `${API_BASE}/nodes/n2`)).body.error.code).to.equal("NODE_REPORTS");
    fleet.nodes.pop();
    // A push that was under way may still come in.
    await waitFor("n2 to fall silent", async () => {
      await redis.del(keys.nodeSample("n2"));
      return (await scheduler.send("DELETE", `${API_BASE}/nodes/n2`)).status === 200;
    });
    await waitFor("n2 to be off the list", async () => (await stateOf(scheduler, "n2")) === undefined);
    expect((await scheduler.send("DELETE", `${API_BASE}/nodes/n2`)).status).to.equal(404);
  });

  it("forgets the owners of workloads that no node has run for long, only while every node is heard", async () => {
    await report([{ id: "n1", workloads: [{ name: "a" }] }]);
    const old = Date.now() / 1000 - 8 * 86_400;
    const ids = { present: containerIdOf("a"), gone: "gone", recent: "recent" };
    await redis.hset(keys.owners, { [ids.present]: "n1", gone: "n1", recent: "n1" });
    await redis.hset(keys.lastMoved, { [ids.present]: old, gone: old, recent: Date.now() / 1000 });
    await redis.zadd(keys.nodes, 1, "silent");
    const scheduler = await start();
    await ticks(scheduler, 3);
    expect(await redis.hlen(keys.owners)).to.equal(3);
    await redis.zrem(keys.nodes, "silent");
    await waitFor("it to be forgotten", async () => (await redis.hlen(keys.owners)) === 2);
    expect(await redis.hkeys(keys.lastMoved)).to.have.members([ids.present, "recent"]);
  });

  it("cancels a migration that nobody has taken up", async () => {
    await report([
      { id: "n1", workloads: [{ name: "a" }] },
      { id: "n2", workloads: [] },
    ]);
    const scheduler = await start();
    await waitFor("the leader", () => scheduler.term() !== null);
    const { body } = await scheduler.send("POST", `${API_BASE}/migrations`, { workload: "a", to: "n2" });
    const cancelled = await scheduler.send("DELETE", `${API_BASE}/migrations/${body.migration.id}`);
    expect(cancelled.body.migration).to.include({ outcome: "aborted", result: "cancelled" });
    expect((await scheduler.send("DELETE", `${API_BASE}/migrations/${body.migration.id}`)).body.error.code).to.equal("COMMIT_REFUSED");
    expect((await scheduler.send("POST", `${API_BASE}/migrations`, { workload: "a", to: "n2" })).status).to.equal(201);
  });
});
