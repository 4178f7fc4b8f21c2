import { connect } from "node:net";
import { expect } from "chai";
import { makeKeys } from "../../../platform/keys.js";
import { publishNote } from "../../../scheduler/notes.js";
import { API_BASE } from "../../../scheduler/protocol.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { type RunningScheduler, runScheduler } from "../../support/running-scheduler.js";
import { waitFor } from "../../support/wait-for.js";

describe("a viewer that leaves while Redis is slow to say what it came for", () => {
  const keys = makeKeys();
  let server: ThrowAwayRedis;
  let scheduler: RunningScheduler;

  beforeEach(async () => {
    server = await startRedis();
    scheduler = await runScheduler(server, { scheduler: { tickSeconds: 60 } });
    await waitFor("it to lead", () => scheduler.term());
  });
  afterEach(async () => {
    process.kill(server.pid, "SIGCONT");
    await scheduler.close();
    await server.close();
  });

  it("is not kept: nothing is read for it afterwards", async () => {
    const redis = server.connect();
    // By hand: a client in whose connection others' commands come in before it knows that it monitors would take them for answers.
    const monitor = connect(server.url.replace("unix://", ""));
    let seen = "";
    monitor.on("data", (chunk) => {
      seen += chunk.toString();
    });
    monitor.write("MONITOR\r\n");
    await waitFor("the monitor", () => seen.includes("+OK"));
    const isRead = (key: string) => seen.toLowerCase().includes(`"hgetall" "${key}"`.toLowerCase());
    // An answer that needs no Redis: by then the scheduler has seen what had been sent before.
    const isSeen = async () => (await fetch(`${scheduler.url}/metrics`)).text();

    process.kill(server.pid, "SIGSTOP");
    const viewer = connect(scheduler.port, "127.0.0.1");
    await new Promise<void>((resolve) => viewer.once("connect", () => resolve()));
    viewer.write(`GET ${API_BASE}/events HTTP/1.1\r\nhost: test\r\n\r\n`);
    await isSeen();
    viewer.destroy();
    await isSeen();
    process.kill(server.pid, "SIGCONT");
    await fetch(`${scheduler.url}${API_BASE}/status`);

    await publishNote(redis, keys, { kind: "migration", id: "m-nobody" });
    const stopping = new AbortController();
    await fetch(`${scheduler.url}${API_BASE}/events`, { signal: stopping.signal });
    await publishNote(redis, keys, { kind: "migration", id: "m-somebody" });
    await waitFor("what is read for one that stays", () => isRead(keys.migration("m-somebody")));
    expect(isRead(keys.migration("m-nobody"))).to.equal(false);
    stopping.abort();
    monitor.destroy();
  });
});
