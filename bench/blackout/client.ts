import { once } from "node:events";
import { Command } from "commander";
import { keepAsking } from "../../lab/clients/keep-asking.js";
import { Observed } from "../../lab/clients/observed.js";
import { serveReport } from "../../lab/clients/serve-report.js";
import { nowSeconds } from "../../platform/clock.js";
import { makeHolderCaller } from "./call-holder.js";

/** The program in the lab's `clients` machine: talks to one holder over `--connections` connections and says what it saw on a socket. */
const flags = new Command("bench-client")
  .requiredOption("--host <address>")
  .requiredOption("--port <n>", "", Number)
  .requiredOption("--report <socket>", "unix socket on which the live report is served")
  .option("--connections <n>", "", Number, 1)
  .option("--pause-ms <n>", "pause between an answer and the next request", Number, 2)
  .parse()
  .opts<{ host: string; port: number; report: string; connections: number; pauseMs: number }>();

const stop = new AbortController();
const address = { host: flags.host, port: flags.port };
const clients = Array.from({ length: flags.connections }, (_, index) => {
  const observed = new Observed(`connection-${index}`);
  const done = keepAsking({ address, call: makeHolderCaller(), observed, pauseMs: flags.pauseMs }, stop.signal);
  return { observed, done };
});
const named = (name: string) => clients[Number(name.replace("connection-", ""))];
const server = await serveReport(
  {
    report: () => {
      const at = nowSeconds();
      return { at, clients: clients.map(({ observed }) => observed.report(at)) };
    },
    gapsBetween: (name, since, until) => named(name)?.observed.gapsBetween(since, until, nowSeconds()) ?? null,
    burn: () => null,
    close: async () => {},
  },
  flags.report,
);
await Promise.race([once(process, "SIGTERM"), once(process, "SIGINT")]);
stop.abort();
await Promise.all(clients.map(({ done }) => done));
await server.close();
