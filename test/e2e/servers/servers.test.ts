import { text } from "node:stream/consumers";
import { expect } from "chai";
import type { Report } from "../../../lab/clients/report.js";
import { waitFor } from "../../support/wait-for.js";
import { expectKept } from "../support/expect-kept.js";
import { FIRST, type MovingFleet, SECOND, startMovingFleet } from "../support/moving-fleet.js";
import { settledOn } from "../support/traces.js";
import { checkTables, type Pgbench, type PgbenchSummary, readLedger, startPgbench } from "./pgbench.js";
import { SERVER_IMAGES } from "./server-images.js";
import { SERVERS } from "./server-table.js";
import { buildServersRoot } from "./servers-root.js";
import { startTalking, type Talking } from "./start-talk.js";

const ROUNDS = 10;
/** Two at once, each at its own pace. */
const AT_ONCE = [
  ["redis", "java"],
  ["postgres", "nginx"],
  ["node", "python"],
] as const;
/** A machine that has neither root file system nor images builds both first. */
const SETUP_DEADLINE_MS = 1_200_000;
/** Two or three seconds a move on a quiet machine; a busy one is not to blame. */
const MOVES_DEADLINE_MS = 1_800_000;

describe("Real servers under load, moved there and back ten times", function () {
  this.timeout(MOVES_DEADLINE_MS);
  let moving: MovingFleet;
  let talking: Talking;
  let pgbench: Pgbench;
  let report: Report;
  let summary: PgbenchSummary;

  before(async function () {
    this.timeout(SETUP_DEADLINE_MS);
    let shown = "";
    const onProgress = (step: string, percent?: number) => {
      if (step !== shown) console.log(`    preparing the servers: ${step}${percent === undefined ? "" : ` (${Math.round(percent)} %)`}`);
      shown = step;
    };
    const rootDirectory = await buildServersRoot(onProgress);
    moving = await startMovingFleet("e2e-servers", SERVERS, { rootDirectory, recipes: SERVER_IMAGES, onProgress });
    talking = await startTalking(moving.fleet.lab);
    pgbench = await startPgbench(moving.fleet.lab);
    const all = SERVERS.reduce((sum, { connections }) => sum + connections, 0);
    await waitFor(
      "answers from every server",
      async () => {
        const { clients } = await talking.report();
        return clients.length === all && clients.every(({ requests }) => requests > 10);
      },
      { deadlineSeconds: 60 },
    );
  });

  after(async () => {
    expect(await moving?.close()).to.deep.equal([]);
  });

  const container = (name: string) => moving.fleet.lab.node(FIRST).docker.getContainer(name);

  async function inside(name: string, command: string[]): Promise<string> {
    const exec = await container(name).exec({ Cmd: command, AttachStdout: true, AttachStderr: true });
    return text(await exec.start({}));
  }

  /** Answers given so far, for each connection to the server. */
  async function answersOf(name: string): Promise<number[]> {
    if (name === "postgres") return [(await pgbench.progress()).filter((rate) => rate > 0).length];
    const { clients } = await talking.report();
    return clients.filter(({ workload }) => workload.startsWith(`${name}-`)).map(({ requests }) => requests);
  }

  async function goesOn(name: string): Promise<void> {
    const before = await answersOf(name);
    const went = async () => (await answersOf(name)).every((count, index) => count > before[index]!);
    await waitFor(`every connection to ${name} to go on`, went, { deadlineSeconds: 30 });
  }

  async function moveThereAndBack(name: string): Promise<void> {
    for (let round = 0; round < ROUNDS; round++) {
      await moving.moveWell(name, FIRST, SECOND);
      await goesOn(name);
      await moving.moveWell(name, SECOND, FIRST);
      await goesOn(name);
    }
  }

  for (const [one, other] of AT_ONCE) {
    it(`${one} and ${other}, moved at the same time, go on after each move`, async () => {
      await Promise.all([moveThereAndBack(one), moveThereAndBack(other)]);
      for (const name of [one, other]) await settledOn(moving.fleet, name, FIRST);
    });
  }

  describe("and left alone after that", () => {
    before(async () => {
      [report, summary] = await Promise.all([talking.stop(), pgbench.stop()]);
    });

    for (const { name } of SERVERS.filter(({ connections }) => connections > 0)) {
      it(`${name} has kept every connection and given right answers only`, () => {
        const own = report.clients.filter(({ workload }) => workload.startsWith(`${name}-`));
        for (const client of own) {
          expectKept(client);
        }
      });
    }

    for (const name of ["node", "python", "java"]) {
      it(`${name} holds every word that it was given`, async () => {
        const { checked, faults } = await talking.audit(name);
        expect(faults).to.deep.equal([]);
        expect(checked).to.be.greaterThan(100);
      });
    }

    it("nginx has a line in its log for each answer", async () => {
      const clients = report.clients.filter(({ workload }) => workload.startsWith("nginx-"));
      const answers = clients.reduce((sum, { requests }) => sum + requests, 0);
      const lines = Number(/\d+/.exec(await inside("nginx", ["sh", "-c", "grep -c ' 200 ' /var/log/nginx/access.log"]))?.[0]);
      // The first page of each connection is checked with the second; the last may have been on its way.
      expect(lines).to.be.within(answers, answers + 2 * clients.length);
    });

    it("redis holds every acknowledged write, and reads them all from its files when it is started anew", async () => {
      expect((await talking.audit("redis")).faults).to.deep.equal([]);
      await container("redis").restart();
      await waitFor("redis", async () => (await inside("redis", ["redis-cli", "ping"])).includes("PONG"), { deadlineSeconds: 60 });
      const { checked, faults } = await talking.audit("redis");
      expect(faults).to.deep.equal([]);
      expect(checked).to.be.greaterThan(1000);
    });

    it("postgres has failed no transaction and lost none, and its tables are whole when it is started anew", async () => {
      const { lab } = moving.fleet;
      expect(summary.exitCode, summary.text).to.equal(0);
      expect(summary.failed, summary.text).to.equal(0);
      const before = await readLedger(lab);
      expect(before.entries).to.equal(summary.processed).and.to.be.greaterThan(100);
      for (const sum of [before.accounts, before.tellers, before.branches]) expect(sum).to.equal(before.deltas);
      await checkTables(lab);
      await container("postgres").restart();
      expect(await waitFor("PostgreSQL", () => readLedger(lab), { deadlineSeconds: 60 })).to.deep.equal(before);
      await checkTables(lab);
    });
  });
});
