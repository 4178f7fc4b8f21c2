import { writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { Command } from "commander";
import { leave } from "../../platform/leave.js";
import type { LabClients } from "../clients/start-lab-clients.js";
import { type Fleet, startFleet } from "../fleet/fleet.js";
import { STORY_NODES, STORY_POLICIES } from "./fleet-options.js";
import { drainAndReturn, heatAndLevel, placeWorkloads, summariseMoves } from "./scenario.js";
import { type ClientSummary, judge, type Summary, summariseClient } from "./summary.js";
import { makeTerminal } from "./terminal.js";
import { followFleet } from "./watch.js";

const flags = new Command("npm start --")
  .description(
    "Brings up a fleet of three real Docker hosts on this machine with workloads and clients, heats one node, drains another, and lets Evenkeel\nact by itself. Without flags it stays up until Ctrl-C, with a live page.",
  )
  .option("--once", "run the story unattended, print a summary, take everything down; exit 0 only if it truly happened")
  .option("--json <file>", "write the summary there too")
  .option("--port <n>", "loopback port of the live page", Number, 8080)
  .addHelpText("after", "\nExit codes: 0 it happened, 1 it did not, 2 wrong usage, 130 interrupted before the story was told.")
  .parse()
  .opts<{ once?: boolean; json?: string; port: number }>();

const started = performance.now();
const terminal = makeTerminal();
const stopping = new AbortController();
let interrupted = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (interrupted) return;
    interrupted = true;
    terminal.tell("taking everything down");
    stopping.abort(new Error("interrupted"));
  });
}

const interruption = new Promise<string>((resolve) =>
  stopping.signal.addEventListener("abort", () => resolve("interrupted"), { once: true }),
);

type Story = Omit<Summary, "ok" | "failures" | "leftovers" | "wallSeconds">;

async function tellStory(fleet: Fleet, clients: LabClients): Promise<Story> {
  const { before, after } = await heatAndLevel(fleet, clients, terminal.tell);
  const drain = await drainAndReturn(fleet, terminal.tell);
  const moves = await summariseMoves(fleet, clients);
  const seen: ClientSummary[] = (await clients.report()).clients.map(summariseClient);
  return { imbalanceBefore: before.deviation, imbalanceAfter: after.deviation, moves, drain, clients: seen };
}

/** Kept when the fleet stays up afterwards: Ctrl-C is its ordinary end then. A text: why it broke off. */
let told: Story | string | null = null;

/** The story, or why it broke off: an error, or Ctrl-C. */
async function playStory(fleet: Fleet): Promise<Story | string> {
  const clients = await placeWorkloads(fleet, terminal.tell);
  terminal.tell(`live page: ${fleet.url}   (operators' token: ${fleet.settings.operatorToken})`);
  terminal.tell(`Prometheus: ${fleet.prometheusUrl}`);
  const watching = followFleet(fleet, terminal, stopping.signal);
  const words = (error: unknown) => (error instanceof Error ? error.message : String(error));
  const story = tellStory(fleet, clients).catch(words);
  const outcome = await Promise.race([story, interruption]);
  if (!interrupted) told = outcome;
  if (!flags.once && !interrupted) {
    terminal.tell(typeof outcome === "string" ? `the story broke off: ${outcome}` : "the story is told");
    terminal.tell(`the fleet stays up until Ctrl-C. Try: EVENKEEL_URL=${fleet.url} npx evenkeel nodes`);
    await interruption;
  }
  await watching.stop();
  return outcome;
}

async function main(): Promise<number> {
  const fleet = await startFleet({
    name: "start",
    nodes: STORY_NODES,
    policies: STORY_POLICIES,
    mode: "auto",
    pagePort: flags.port,
    onProgress: terminal.progress,
    signal: stopping.signal,
  });
  const ended = await Promise.race([playStory(fleet), interruption]).catch((error: unknown) => String(error));
  const outcome = told ?? ended;
  const leftovers = await fleet.close();
  const wallSeconds = (performance.now() - started) / 1000;
  if (typeof outcome === "string") {
    terminal.tell(`the story broke off: ${outcome}`);
    for (const left of leftovers) terminal.tell(`left behind: ${left}`);
    if (flags.json) await writeFile(flags.json, `${JSON.stringify({ ok: false, failures: [outcome], leftovers, wallSeconds }, null, 2)}\n`);
    return told === null && interrupted ? 130 : 1;
  }
  const summary = judge({ ...outcome, leftovers, wallSeconds });
  if (flags.json) await writeFile(flags.json, `${JSON.stringify(summary, null, 2)}\n`);
  terminal.summary(summary);
  return summary.ok ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  terminal.tell(error instanceof Error ? error.message : String(error));
  process.exitCode = interrupted ? 130 : 1;
}
// ioredis and the page's keep-alive sockets may linger; everything that matters is closed.
await delay(50);
leave();
