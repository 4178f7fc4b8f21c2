import { readFile } from "node:fs/promises";
import type { Lab } from "../../../lab/lab.js";
import { waitFor } from "../../support/wait-for.js";
import { server } from "./server-table.js";

const SCALE = 2;
const CLIENTS = 6;
/** Transactions a second: enough that some are under way at each freeze, and leaves the machine some time for the moves. */
const RATE = 120;
/** Longer than any test; it is ended by a signal. */
const MOST_SECONDS = 3600;
const { address } = server("postgres");
const env = { PGHOST: address, PGUSER: "postgres", PGDATABASE: "postgres" };

export interface Pgbench {
  /** Transactions per second as pgbench itself reports them, one number a second. */
  progress(): Promise<number[]>;
  /** Ends it as its own alarm would, and gives its summary. */
  stop(): Promise<PgbenchSummary>;
}

export interface PgbenchSummary {
  readonly processed: number;
  readonly failed: number;
  readonly exitCode: number;
  readonly text: string;
}

/** Fills the tables of pgbench's standard test and starts it on connections that stay open. */
export async function startPgbench(lab: Lab): Promise<Pgbench> {
  const run = (command: readonly string[]) => lab.clients.exec(command, { env });
  await waitFor("PostgreSQL", async () => (await run(["psql", "-c", "select 1"])).exitCode === 0, { deadlineSeconds: 60 });
  await run(["pgbench", "-i", "-q", "-s", String(SCALE)]);
  const flags = ["-c", String(CLIENTS), "-j", "2", "-R", String(RATE), "-P", "1", "-T", String(MOST_SECONDS)];
  const service = await lab.clients.spawn(["pgbench", ...flags], { name: "pgbench", env });
  const said = () => readFile(service.logFile, "utf8");
  return {
    progress: async () => [...(await said()).matchAll(/^progress: [\d.]+ s, ([\d.]+) tps/gm)].map((match) => Number(match[1])),
    stop: async () => {
      await service.kill("SIGALRM");
      const text = await said();
      const find = (pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? Number.NaN);
      return {
        processed: find(/^number of transactions actually processed: (\d+)/m),
        failed: find(/^number of failed transactions: (\d+)/m),
        exitCode: await service.ended,
        text,
      };
    },
  };
}

export interface Ledger {
  readonly entries: number;
  readonly deltas: number;
  readonly accounts: number;
  readonly tellers: number;
  readonly branches: number;
}

/** What the tables hold: each transaction adds one delta to an account, a teller and a branch, and one line to the history. */
export async function readLedger(lab: Lab): Promise<Ledger> {
  const query = [
    "(select count(*) from pgbench_history)",
    "(select coalesce(sum(delta), 0) from pgbench_history)",
    "(select sum(abalance) from pgbench_accounts)",
    "(select sum(tbalance) from pgbench_tellers)",
    "(select sum(bbalance) from pgbench_branches)",
  ].join(", ");
  const { stdout } = await lab.clients.exec(["psql", "-At", "-F", " ", "-c", `select ${query}`], { env });
  const [entries, deltas, accounts, tellers, branches] = stdout.trim().split(" ").map(Number);
  return { entries: entries!, deltas: deltas!, accounts: accounts!, tellers: tellers!, branches: branches! };
}

/** PostgreSQL's own check of every table and index, page by page. Throws with what it found. */
export async function checkTables(lab: Lab): Promise<void> {
  const check = "/usr/lib/postgresql/*/bin/pg_amcheck --install-missing --heapallindexed --all";
  await lab.clients.exec(["sh", "-c", check], { env });
}
