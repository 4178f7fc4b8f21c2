import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { clientsAt } from "../../../lab/clients/read-report.js";
import { reportSchema } from "../../../lab/clients/report.js";
import { projectPath } from "../../../platform/paths.js";
import { freePort } from "../../support/free-port.js";
import { waitFor } from "../../support/wait-for.js";
import { type RunningWorkload, runWorkload, SETUP_DEADLINE_MS } from "./run-workload.js";

describe("The clients program", () => {
  let workload: RunningWorkload;
  let folder: string;
  let program: ChildProcess;
  let clients: ReturnType<typeof clientsAt>;

  before(async function () {
    this.timeout(SETUP_DEADLINE_MS);
    workload = await runWorkload("burner");
    folder = await mkdtemp(join(tmpdir(), "evenkeel-clients-"));
    const targets = [
      { workload: "burner", protocol: "burner", host: "127.0.0.1", port: workload.port },
      { workload: "not-there-yet", protocol: "pair", host: "127.0.0.1", port: await freePort() },
    ];
    await writeFile(join(folder, "targets.json"), JSON.stringify(targets));
    const flags = ["--targets", join(folder, "targets.json"), "--report", join(folder, "socket"), "--final", join(folder, "final.json")];
    program = spawn(process.execPath, [projectPath("dist/lab/clients/main.js"), ...flags], { stdio: "inherit" });
    clients = clientsAt(join(folder, "socket"));
    await waitFor("the first answers", async () => (await clients.report()).clients[0]!.requests > 5);
  });

  after(async () => {
    program?.kill("SIGKILL");
    await workload?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it("counts nothing against a workload that is not there yet", async () => {
    const [, absent] = (await clients.report()).clients;
    expect(absent).to.include({ requests: 0, resets: 0, wrongAnswers: 0, longestGapSeconds: 0, connectedAt: null });
  });

  it("has the burner burn, and stop, over its one connection", async () => {
    await clients.burn("burner", 60);
    const before = await cpuTicks(workload.pid);
    await waitFor("a third of a second of CPU time", async () => (await cpuTicks(workload.pid)) > before + 33);
    await clients.burn("burner", 0);
    const [burner] = (await clients.report()).clients;
    expect(burner).to.include({ connectionKept: true, wrongAnswers: 0, resets: 0 });
  });

  it("tells the longest gap of an interval", async () => {
    const { at } = await clients.report();
    const answer = await clients.gaps("burner", at - 60, at);
    expect(answer.connectionKept).to.equal(true);
    expect(answer.longestGapSeconds).to.be.greaterThan(0);
  });

  it("refuses what makes no sense, in words", async () => {
    for (const refused of [clients.burn("burner", 101), clients.burn("not-there-yet", 5), clients.gaps("nobody", 0, 1)]) {
      const error = await refused.then(() => null, String);
      expect(error).to.match(/answered 40[04]/);
    }
  });

  it("writes its last report when it is told to end", async () => {
    program.kill("SIGTERM");
    await once(program, "exit");
    const report = reportSchema.parse(JSON.parse(await readFile(join(folder, "final.json"), "utf8")));
    expect(report.clients[0]).to.include({ connectionKept: true, resets: 0 });
  });
});

/** User and system time of the process, in hundredths of a second. */
async function cpuTicks(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]!.split(" ");
  return Number(fields[11]) + Number(fields[12]);
}
