import { Command } from "commander";
import { makeHttpCaller } from "../../../lab/clients/call-http.js";
import { startTalks } from "../../../lab/clients/clients.js";
import { serveReport } from "../../../lab/clients/serve-report.js";
import type { Audit, Audited } from "./audited.js";
import { makeLedgerCaller } from "./call-ledger.js";
import { makeRedisLogCaller } from "./call-redis-log.js";
import { SERVERS } from "./server-table.js";

const flags = new Command("talk")
  .description("Holds several connections to each server of the table, checks every answer, and in the end what the servers hold.")
  .requiredOption("--report <socket>", "unix socket: the lab clients' report, POST /stop, POST /audit {server}")
  .option("--pause-ms <n>", "pause between an answer and the next request", Number, 40)
  .parse()
  .opts<{ report: string; pauseMs: number }>();

const NOTHING_HELD: Audit = { checked: 0, faults: [] };

function makeCaller(server: string, name: string): Audited {
  if (server === "redis") return makeRedisLogCaller(name);
  if (server === "nginx") return { call: makeHttpCaller(), audit: async () => NOTHING_HELD };
  return makeLedgerCaller(name);
}

const talks = SERVERS.flatMap(({ name, address, port, connections }) =>
  Array.from({ length: connections }, (_, index) => {
    const workload = `${name}-${index + 1}`;
    return { server: name, workload, address: { host: address, port }, partner: makeCaller(name, workload) };
  }),
);
const clients = startTalks(talks, flags.pauseMs);

await serveReport(clients, flags.report, (server) => {
  server.post("/stop", async () => {
    await clients.close();
    return clients.report();
  });
  server.post<{ Body: { server: string } }>("/audit", async ({ body }) => {
    const audits = await Promise.all(
      talks.filter((talk) => talk.server === body.server).map(({ partner, address }) => partner.audit(address)),
    );
    return {
      checked: audits.reduce((sum, { checked }) => sum + checked, 0),
      faults: audits.flatMap(({ faults }) => faults),
    } satisfies Audit;
  });
});
