import { expect } from "chai";
import { type Clients, startClients } from "../../../lab/clients/clients.js";
import type { ClientReport } from "../../../lab/clients/report.js";
import { WORKLOADS } from "../../../lab/workloads/workload-table.js";
import { waitFor } from "../../support/wait-for.js";
import { type FaultyProxy, startFaultyProxy } from "./faulty-proxy.js";
import { type RunningWorkload, runWorkload, SETUP_DEADLINE_MS } from "./run-workload.js";

for (const { name, protocol } of WORKLOADS) {
  describe(`The ${name} workload and its client`, () => {
    let workload: RunningWorkload;
    let proxy: FaultyProxy;
    let clients: Clients;

    const seen = (): ClientReport => clients.report().clients[0]!;
    const requestsAfter = async (count: number) => {
      const before = seen().requests;
      await waitFor(`${count} more answers`, () => seen().requests >= before + count);
    };

    before(async function () {
      this.timeout(SETUP_DEADLINE_MS);
      workload = await runWorkload(name);
      proxy = await startFaultyProxy(workload.port);
    });

    beforeEach(async () => {
      clients = startClients([{ workload: name, protocol, host: "127.0.0.1", port: proxy.port }], { pauseMs: 2 });
      await waitFor("the first answers", () => seen().requests >= 10);
    });

    afterEach(() => clients.close());

    after(async () => {
      await proxy?.close();
      await workload?.stop();
    });

    it("keeps one connection and finds every answer right", async () => {
      const { localPort } = seen();
      await requestsAfter(100);
      expect(seen()).to.include({ wrongAnswers: 0, resets: 0, connectionKept: true, localPort });
      expect(seen().firstWrongAnswers).to.deep.equal([]);
    });

    it("notices a single wrong byte", async () => {
      proxy.corruptOnce(5);
      await waitFor("the wrong answer to be noticed", () => seen().wrongAnswers > 0);
      await requestsAfter(10);
      expect(seen()).to.include({ wrongAnswers: 1, resets: 0 });
      expect(seen().firstWrongAnswers).to.have.length(1);
    });

    it("notices an answer that comes twice", async () => {
      proxy.repeatOnce();
      await waitFor("it to be noticed", () => seen().wrongAnswers + seen().resets > 0);
    });

    it("notices a reset connection, and goes on over another", async () => {
      const { localPort } = seen();
      proxy.reset();
      await waitFor("the reset to be noticed", () => seen().resets > 0);
      await requestsAfter(10);
      expect(seen()).to.include({ resets: 1, connectionKept: false, wrongAnswers: 0 });
      expect(seen().localPort).not.to.equal(localPort);
    });

    it("measures how long it had to wait, while it waits and afterwards", async () => {
      const since = Date.now() / 1000;
      proxy.stall();
      await waitFor("a wait of half a second", () => seen().waitingSeconds > 0.5);
      const during = clients.gapsBetween(name, since, Date.now() / 1000)!;
      proxy.release();
      await requestsAfter(5);
      const until = Date.now() / 1000;
      expect(during.longestGapSeconds).to.be.greaterThan(0.5);
      expect(clients.gapsBetween(name, since, until)).to.have.property("connectionKept", true);
      expect(clients.gapsBetween(name, since, until)!.longestGapSeconds).to.be.at.least(during.longestGapSeconds);
      expect(clients.gapsBetween(name, since - 3600, since - 1800)).to.deep.equal({ longestGapSeconds: 0, connectionKept: true });
      expect(seen().gaps.some(({ seconds }) => seconds > 0.5)).to.equal(true);
      expect(seen()).to.include({ wrongAnswers: 0, resets: 0 });
    });
  });
}
