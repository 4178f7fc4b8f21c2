import { expect } from "chai";
import { listMigrations } from "../../../platform/migration-record.js";
import type { AuditEntry } from "../../../scheduler/audit.js";
import { API_BASE } from "../../../scheduler/protocol.js";
import { containerIdOf } from "../../support/reported-fleet.js";
import { waitFor } from "../../support/wait-for.js";
import { hot, ScheduledFleet, stateOf, ticks } from "./scheduled-fleet.js";

describe("the scheduler, of what is gone, silent or there twice", () => {
  const here = new ScheduledFleet();

  it("takes a silent or unreadable node for unknown, never for an idle one", async () => {
    await here.report(hot());
    await here.fleet.stop();
    await here.redis.del(here.keys.nodeSample("n2"));
    const { workloads: _, ...withoutWorkloads } = JSON.parse((await here.redis.get(here.keys.nodeSample("n3")))!) as Record<
      string,
      unknown
    >;
    await here.redis.set(here.keys.nodeSample("n3"), JSON.stringify(withoutWorkloads));
    const scheduler = await here.start({ scheduler: { mode: "auto" } });
    await ticks(scheduler, 2);
    expect(await stateOf(scheduler, "n2")).to.include({ state: "unknown", cpuRatio: null });
    expect((await stateOf(scheduler, "n3"))?.because).to.contain("workloads");
    expect(await listMigrations(here.redis, here.keys)).to.deep.equal([]);
    await here.redis.set(here.keys.nodeSample("n3"), "{broken");
    await waitFor("the new trouble", async () => (await stateOf(scheduler, "n3"))?.because.includes("not JSON"));
  });

  it("reports a workload that runs on two nodes, once, and keeps its hands off it", async () => {
    const labels = { "io.evenkeel.workload": "twin" };
    await here.report([
      { id: "n1", workloads: [{ name: "twin-a", labels }] },
      { id: "n2", workloads: [{ name: "twin-b", labels }] },
      { id: "n3", workloads: [] },
    ]);
    const scheduler = await here.start();
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
    expect(await listMigrations(here.redis, here.keys)).to.deep.equal([]);
  });

  it("drops the series of a node that is gone", async () => {
    await here.report([
      { id: "n1", workloads: [] },
      { id: "n2", workloads: [] },
    ]);
    const scheduler = await here.start();
    const metrics = async () => (await fetch(`${scheduler.url}/metrics`)).text();
    await waitFor("both nodes", async () => (await metrics()).includes('evenkeel_node_sample_age_seconds{node="n2"}'));
    await waitFor("it to lead", async () => /^evenkeel_leader 1$/m.test(await metrics()));
    here.fleet.nodes.pop();
    await here.redis.zrem(here.keys.nodes, "n2");
    await waitFor("n2 to go", async () => !(await metrics()).includes('"n2"'));
    expect(await metrics()).to.contain('node="n1"');
  });

  it("forgets a silent node when asked to, but not one that reports", async () => {
    await here.report([
      { id: "n1", workloads: [] },
      { id: "n2", workloads: [], hasExecutor: false },
    ]);
    const scheduler = await here.start();
    expect((await scheduler.send("DELETE", `${API_BASE}/nodes/n2`)).body.error.code).to.equal("NODE_REPORTS");
    here.fleet.nodes.pop();
    // A push that was under way may still come in.
    await waitFor("n2 to fall silent", async () => {
      await here.redis.del(here.keys.nodeSample("n2"));
      return (await scheduler.send("DELETE", `${API_BASE}/nodes/n2`)).status === 200;
    });
    await waitFor("n2 to be off the list", async () => (await stateOf(scheduler, "n2")) === undefined);
    expect((await scheduler.send("DELETE", `${API_BASE}/nodes/n2`)).status).to.equal(404);
  });

  it("forgets the owners of workloads that no node has run for long, but not of those that a silent node may run", async () => {
    await here.report([{ id: "n1", workloads: [{ name: "a" }] }]);
    const old = Date.now() / 1000 - 8 * 86_400;
    const present = containerIdOf("a");
    await here.redis.hset(here.keys.owners, { [present]: "n1", gone: "n1", recent: "n1", veiled: "silent" });
    await here.redis.hset(here.keys.lastMoved, { [present]: old, gone: old, recent: Date.now() / 1000, veiled: old, masterless: old });
    await here.redis.zadd(here.keys.nodes, 1, "silent");
    const scheduler = await here.start();
    const known = async () => Object.keys(await here.redis.hgetall(here.keys.lastMoved));
    await waitFor("what is gone to be forgotten", async () => !(await known()).includes("gone"));
    await ticks(scheduler, 3);
    expect(await known()).to.have.members([present, "recent", "veiled", "masterless"]);
    await here.redis.zrem(here.keys.nodes, "silent");
    await waitFor("the rest to be forgotten", async () => (await known()).length === 2);
    expect(await known()).to.have.members([present, "recent"]);
    expect(await here.redis.hkeys(here.keys.owners)).to.have.members([present, "recent"]);
  });
});
