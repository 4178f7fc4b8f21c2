import { expect } from "chai";
import type { Redis } from "ioredis";
import { type Keys, makeKeys } from "../../../platform/keys.js";
import type { NodeAnswer, WorkloadAnswer } from "../../../scheduler/api-shapes.js";
import type { AuditEntry } from "../../../scheduler/audit.js";
import { API_BASE } from "../../../scheduler/protocol.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { type ReportedFleet, reportFleet } from "../../support/reported-fleet.js";
import { OPERATOR_TOKEN, type RunningScheduler, runScheduler } from "../../support/running-scheduler.js";
import { waitFor } from "../../support/wait-for.js";

describe("the HTTP API", () => {
  let server: ThrowAwayRedis;
  let redis: Redis;
  let keys: Keys;
  let fleet: ReportedFleet;
  let scheduler: RunningScheduler;

  before(async () => {
    server = await startRedis();
    redis = server.connect();
    keys = makeKeys();
    fleet = reportFleet(redis, keys, [
      { id: "n1", workloads: [{ name: "web" }, { name: "same" }, { name: "fixed", labels: { "io.evenkeel.mode": "never" } }] },
      { id: "n2", workloads: [{ name: "same", labels: { "io.evenkeel.workload": "other" } }] },
    ]);
    fleet.keepPushing();
    scheduler = await runScheduler(server);
    await waitFor("a plan", () => redis.get(keys.plan));
  });
  after(async () => {
    await fleet.stop();
    await scheduler.close();
    await server.close();
  });

  const changes: [string, string, unknown][] = [
    ["POST", `${API_BASE}/migrations`, { workload: "web", to: "n2" }],
    ["DELETE", `${API_BASE}/migrations/m-1`, undefined],
    ["POST", `${API_BASE}/plan/approve`, {}],
    ["PUT", `${API_BASE}/nodes/n1/maintenance`, {}],
    ["DELETE", `${API_BASE}/nodes/n1/maintenance`, undefined],
    ["PUT", `${API_BASE}/nodes/n1/cordon`, {}],
    ["DELETE", `${API_BASE}/nodes/n1/cordon`, undefined],
    ["DELETE", `${API_BASE}/nodes/n1`, undefined],
    ["PUT", `${API_BASE}/pause`, {}],
    ["DELETE", `${API_BASE}/pause`, undefined],
    ["POST", `${API_BASE}/what-if`, {}],
    ["POST", `${API_BASE}/doctor`, {}],
    ["POST", `${API_BASE}/preflight`, { workload: "web", to: "n2" }],
  ];

  for (const [method, path, body] of changes) {
    it(`refuses ${method} ${path} without the operators' token, and with a wrong one`, async () => {
      for (const token of [null, "wrong", `${OPERATOR_TOKEN}x`]) {
        const answer = await scheduler.send(method, path, body, token);
        expect([answer.status, answer.body.error.code]).to.deep.equal([401, "UNAUTHORIZED"]);
        expect(answer.body.error.hint).to.contain("EVENKEEL_TOKEN");
      }
    });
  }

  it("refuses every change when no token is configured, whatever the caller brings", async () => {
    const open = await runScheduler(server, { scheduler: { operatorToken: undefined } });
    try {
      const answer = await open.send("PUT", `${API_BASE}/nodes/n1/maintenance`, {}, "undefined");
      expect(answer.status).to.equal(401);
      expect(answer.body.error.message).to.contain("operatorToken");
    } finally {
      await open.close();
    }
    expect(await redis.hlen(keys.maintenance)).to.equal(0);
  });

  const invalid: [string, string, unknown, string][] = [
    ["POST", "/migrations", { workload: "web" }, "to"],
    ["POST", "/migrations", { workload: "web", to: "n2", force: true }, "force"],
    ["POST", "/migrations", { workload: 7, to: "n2" }, "workload"],
    ["PUT", "/nodes/n1/maintenance", { deadlineSeconds: -1 }, "deadlineSeconds"],
    ["PUT", "/nodes/n1/maintenance", { deadlineSeconds: "10m" }, "deadlineSeconds"],
    ["PUT", "/nodes/n1/cordon", { deadlineSeconds: 60 }, "deadlineSeconds"],
    ["POST", "/plan/approve", { moves: "all" }, "moves"],
    ["POST", "/plan/approve", { power: [{ node: "n1", to: "off" }] }, "power"],
    ["GET", "/nodes?history=1e9", undefined, "history"],
    ["GET", "/migrations?limit=0", undefined, "limit"],
    ["GET", "/audit?limit=many", undefined, "limit"],
    ["GET", "/status?verbose=1", undefined, "verbose"],
    ["GET", "/migrations/m-1?verbose=1", undefined, "verbose"],
    ["GET", "/drains/n1?verbose=1", undefined, "verbose"],
    ["GET", "/events?verbose=1", undefined, "verbose"],
    ["POST", "/preflight", { workload: "web", to: "n2", mode: "postcopy" }, "mode"],
    ["DELETE", "/nodes/n1/maintenance?bringhome=true", undefined, "bringhome"],
    ["DELETE", "/nodes/n1/maintenance", { bringHome: true }, "bringHome"],
  ];

  for (const [method, path, body, field] of invalid) {
    it(`refuses ${method} ${path} ${JSON.stringify(body) ?? ""} and names ${field}`, async () => {
      const answer = await scheduler.send(method, `${API_BASE}${path}`, body);
      expect([answer.status, answer.body.error.code]).to.deep.equal([400, "INPUT_INVALID"]);
      expect(answer.body.error.message).to.contain(field);
    });
  }

  for (const [method, path, body] of changes) {
    it(`refuses ${method} ${path} with a query that nobody asked for${method === "DELETE" ? ", and with a body" : ""}`, async () => {
      const asked = [await scheduler.send(method, `${path}?dryRun=true`, body)];
      if (method === "DELETE") asked.push(await scheduler.send(method, path, { dryRun: true }));
      for (const answer of asked) {
        expect([answer.status, answer.body.error.code]).to.deep.equal([400, "INPUT_INVALID"]);
        expect(answer.body.error.message).to.contain("dryRun");
      }
    });
  }

  it("answers malformed JSON, an unknown route and unknown things with an error of the catalogue", async () => {
    const headers = { authorization: `Bearer ${OPERATOR_TOKEN}`, "content-type": "application/json" };
    const broken = await fetch(`${scheduler.url}${API_BASE}/migrations`, { method: "POST", headers, body: "{" });
    expect([broken.status, ((await broken.json()) as { error: { code: string } }).error.code]).to.deep.equal([400, "INPUT_INVALID"]);
    const code = async (method: string, path: string, body?: unknown) => {
      const answer = await scheduler.send(method, `${API_BASE}${path}`, body);
      return [answer.status, answer.body.error.code];
    };
    expect(await code("GET", "/nonsense")).to.deep.equal([404, "INPUT_INVALID"]);
    expect(await code("GET", "/migrations/m-none")).to.deep.equal([404, "MIGRATION_NOT_FOUND"]);
    expect(await code("GET", "/drains/n9")).to.deep.equal([404, "NODE_NOT_FOUND"]);
    expect(await code("PUT", "/nodes/n9/maintenance", {})).to.deep.equal([404, "NODE_NOT_FOUND"]);
    expect(await code("PUT", "/nodes/n9/cordon", {})).to.deep.equal([404, "NODE_NOT_FOUND"]);
    expect(await code("DELETE", "/nodes/n9/cordon")).to.deep.equal([404, "NODE_NOT_FOUND"]);
    expect(await code("POST", "/migrations", { workload: "none", to: "n2" })).to.deep.equal([404, "WORKLOAD_NOT_FOUND"]);
    expect(await code("POST", "/migrations", { workload: "same", to: "n2" })).to.deep.equal([400, "WORKLOAD_AMBIGUOUS"]);
    expect(await code("POST", "/migrations", { workload: "web", to: "n9" })).to.deep.equal([404, "NODE_NOT_FOUND"]);
    expect(await code("POST", "/migrations", { workload: "web", to: "n1" })).to.deep.equal([409, "ALREADY_THERE"]);
    expect(await code("POST", "/migrations", { workload: "fixed", to: "n2" })).to.deep.equal([409, "MOVE_REFUSED"]);
  });

  it("describes nodes with history, workloads, and its health", async () => {
    const { nodes } = await scheduler.get<{ nodes: NodeAnswer[] }>(`${API_BASE}/nodes?history=5`);
    expect(nodes.map(({ id, state, workloads }) => [id, state, workloads])).to.deep.equal([
      ["n1", "level", 3],
      ["n2", "level", 1],
    ]);
    expect(nodes[0]?.cpuRatio).to.be.closeTo(0.7 / 4, 1e-9);
    expect(nodes[0]?.history?.at(-1)?.cpuRatio).to.be.closeTo(0.7 / 4, 1e-9);
    const { workloads } = await scheduler.get<{ workloads: WorkloadAnswer[] }>(`${API_BASE}/workloads`);
    expect(workloads.map(({ name, node }) => `${name}@${node}`)).to.have.members(["fixed@n1", "same@n1", "same@n2", "web@n1"]);
    // Ill while its ticks are late, as on a busy machine.
    const health = await waitFor("health", async () => {
      const answer = await fetch(`${scheduler.url}/healthz`);
      return answer.ok && answer;
    });
    expect([health.status, await health.text()]).to.deep.equal([200, "ok\n"]);
  });

  it("sets a flag with deadline and reason, keeps its beginning when asked again, and lifts it", async () => {
    const first = await scheduler.send("PUT", `${API_BASE}/nodes/n2/maintenance`, { deadlineSeconds: 600, reason: "new disk" });
    expect(first.body.drain).to.include({ state: "draining", deadlinePassed: false });
    const again = await scheduler.send("PUT", `${API_BASE}/nodes/n2/maintenance`, { reason: "and a new fan" });
    expect(again.body.drain.since).to.equal(first.body.drain.since);
    expect(again.body.drain.requests.map(({ reason, deadline }) => [reason, deadline])).to.deep.equal([["and a new fan", null]]);
    const lifted = await scheduler.send("DELETE", `${API_BASE}/nodes/n2/maintenance`);
    expect(lifted.body).to.deep.include({ stillAskedForBy: [] });
    expect(lifted.body.drain.state).to.equal("in-service");
    const { entries } = await scheduler.get<{ entries: AuditEntry[] }>(`${API_BASE}/audit?limit=1000`);
    const asked = entries.filter(({ kind }) => kind.startsWith("maintenance"));
    expect(asked.map(({ kind, actor, node }) => [kind, actor, node]).slice(0, 3)).to.deep.equal([
      ["maintenance-off", "operator", "n2"],
      ["maintenance-on", "operator", "n2"],
      ["maintenance-on", "operator", "n2"],
    ]);
  });

  it("says so when a file on the node still asks for what an undrain lifted", async () => {
    fleet.node("n2").maintenanceFile = "on site";
    await waitFor(
      "the file to be seen",
      async () => (await scheduler.get<{ drain: { requests: unknown[] } }>(`${API_BASE}/drains/n2`)).drain.requests[0],
    );
    const answer = await scheduler.send("DELETE", `${API_BASE}/nodes/n2/maintenance`);
    expect(answer.body.stillAskedForBy.map(({ source, reason }) => [source, reason])).to.deep.equal([["file", "on site"]]);
    fleet.node("n2").maintenanceFile = null;
  });

  it("lists a drain whose deadline has passed with what is left and why", async () => {
    await redis.hset(keys.maintenance, "n1", JSON.stringify({ since: 1, deadline: 2, reason: "late" }));
    const { drain } = await scheduler.get<{ drain: { deadlinePassed: boolean; remaining: { name: string; because: string }[] } }>(
      `${API_BASE}/drains/n1`,
    );
    await redis.hdel(keys.maintenance, "n1");
    expect(drain.deadlinePassed).to.equal(true);
    expect(drain.remaining.find(({ name }) => name === "fixed")?.because).to.contain("io.evenkeel.mode");
  });

  it("streams the status after ticks and notes of changes", async () => {
    const stopping = new AbortController();
    const response = await fetch(`${scheduler.url}${API_BASE}/events`, { signal: stopping.signal });
    expect(response.headers.get("content-type")).to.equal("text/event-stream");
    let text = "";
    const reading = (async () => {
      for await (const chunk of response.body!) text += Buffer.from(chunk as Uint8Array).toString();
    })().catch(() => {});
    await waitFor("two statuses", () => text.split("event: status").length > 2);
    await scheduler.send("DELETE", `${API_BASE}/nodes/n2/maintenance`);
    await waitFor("the note", () => text.includes('event: changed\ndata: {"kind":"maintenance"}'));
    stopping.abort();
    await reading;
  });
});
