import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { Command } from "commander";
import { startClients } from "./clients.js";
import { serveReport } from "./serve-report.js";
import { targetsSchema } from "./targets.js";

const flags = new Command("lab-clients")
  .description("Talks to each workload of the lab over one connection, all the time, and checks every answer.")
  .requiredOption("--targets <file>", "JSON: [{workload, protocol, host, port}]")
  .requiredOption("--report <socket>", "unix socket on which the live report is served")
  .option("--final <file>", "where the last report is written on SIGTERM or SIGINT")
  .option("--pause-ms <n>", "pause between an answer and the next request", Number, 40)
  .parse()
  .opts<{ targets: string; report: string; final?: string; pauseMs: number }>();

const targets = targetsSchema.parse(JSON.parse(await readFile(flags.targets, "utf8")));
const clients = startClients(targets, { pauseMs: flags.pauseMs });
const server = await serveReport(clients, flags.report);

await Promise.race([once(process, "SIGTERM"), once(process, "SIGINT")]);
const report = clients.report();
await clients.close();
await server.close();
if (flags.final) await writeFile(flags.final, `${JSON.stringify(report, null, 2)}\n`);
