import { open, readFile, truncate } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { type Clients, startClients } from "../../../lab/clients/clients.js";
import { Connection } from "../../../lab/clients/connection.js";
import { encodeCommand, readReply } from "../../../lab/clients/resp.js";
import { WORKLOADS } from "../../../lab/workloads/workload-table.js";
import { waitFor } from "../../support/wait-for.js";
import { type RunningWorkload, runWorkload, SETUP_DEADLINE_MS } from "./run-workload.js";

describe("A client whose connection lives on while the workload has lost something", () => {
  let workload: RunningWorkload;
  let clients: Clients;

  const seen = () => clients.report().clients[0]!;
  const start = async (name: string) => {
    workload = await runWorkload(name);
    const { protocol } = WORKLOADS.find((candidate) => candidate.name === name)!;
    clients = startClients([{ workload: name, protocol, host: "127.0.0.1", port: workload.port }], { pauseMs: 1 });
    await waitFor("the first answers", () => seen().requests >= 20);
    expect(seen().wrongAnswers).to.equal(0);
  };

  afterEach(async () => {
    await clients?.close();
    await workload?.stop();
  });

  it("notices memory that reads as zeros", async function () {
    this.timeout(SETUP_DEADLINE_MS);
    await start("rewriter");
    await zeroLargestMap(workload.pid, 64 << 20);
    await waitFor("the zeros to be noticed", () => seen().wrongAnswers > 0);
    expect(seen().firstWrongAnswers[0]).to.match(/^pages? \d+/);
    expect(seen()).to.include({ connectionKept: true });
  });

  it("notices a file that has lost its end", async function () {
    this.timeout(SETUP_DEADLINE_MS);
    await start("journal");
    const journal = join(workload.folder, "data/journal");
    await waitFor("a few lines", async () => (await readFile(journal)).length > 200);
    await truncate(journal, 100);
    await waitFor("the loss to be noticed", () => seen().wrongAnswers > 0);
    expect(seen().firstWrongAnswers[0]).to.match(/the file/);
    expect(seen()).to.include({ connectionKept: true });
  });

  it("notices values that a redis-server no longer has", async function () {
    this.timeout(SETUP_DEADLINE_MS);
    await start("store");
    const other = await Connection.open({ host: "127.0.0.1", port: workload.port });
    other.write(encodeCommand(["FLUSHALL"]));
    expect(await readReply(other)).to.equal("OK");
    other.close();
    await waitFor("the loss to be noticed", () => seen().wrongAnswers > 0);
    expect(seen().firstWrongAnswers[0]).to.match(/GET .* answered null/);
    expect(seen()).to.include({ connectionKept: true });
  });
});

/** What lazy pages that never came look like. */
async function zeroLargestMap(pid: number, bytes: number): Promise<void> {
  const maps = [...(await readFile(`/proc/${pid}/maps`, "utf8")).matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw-p/gm)].map(([, from, to]) => ({
    from: Number.parseInt(from!, 16),
    size: Number.parseInt(to!, 16) - Number.parseInt(from!, 16),
  }));
  const largest = maps.reduce((most, map) => (map.size > most.size ? map : most));
  const memory = await open(`/proc/${pid}/mem`, "r+");
  await memory.write(Buffer.alloc(bytes), 0, bytes, largest.from);
  await memory.close();
}
