import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { Redis } from "ioredis";
import { type Keys, makeKeys } from "../../../platform/keys.js";
import {
  advanceMigration,
  claimMigration,
  closeMigration,
  commitMigration,
  listMigrations,
  type MigrationRecord,
} from "../../../platform/migration-record.js";
import { projectPath } from "../../../platform/paths.js";
import { API_BASE } from "../../../scheduler/protocol.js";
import { startRedis, type ThrowAwayRedis } from "../../support/redis.js";
import { type ReportedFleet, reportFleet } from "../../support/reported-fleet.js";
import { OPERATOR_TOKEN, type RunningScheduler, runScheduler } from "../../support/running-scheduler.js";
import { waitFor } from "../../support/wait-for.js";

export const COMMAND = projectPath("bin/evenkeel");

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The command as somebody types it. */
export function evenkeel(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(COMMAND, args, { env }, (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code), out, err }));
  });
}

/**
 * For a `describe`: before each of its tests two nodes, n1 with `web` and `fixed`, which may not move, n2 with `db`; a scheduler over them, and
 * somebody at a terminal.
 */
export class CommandLineFleet {
  redis!: Redis;
  keys!: Keys;
  fleet!: ReportedFleet;
  scheduler!: RunningScheduler;
  /** An empty one. */
  folder!: string;
  private server!: ThrowAwayRedis;

  constructor() {
    beforeEach(() => this.begin());
    afterEach(() => this.close());
  }

  private async begin(): Promise<void> {
    this.folder = await mkdtemp(join(tmpdir(), "evenkeel-cli-"));
    this.server = await startRedis();
    this.redis = this.server.connect();
    this.keys = makeKeys();
    this.fleet = reportFleet(this.redis, this.keys, [
      { id: "n1", workloads: [{ name: "web" }, { name: "fixed", labels: { "io.evenkeel.mode": "never" } }] },
      { id: "n2", workloads: [{ name: "db" }] },
    ]);
    this.fleet.keepPushing();
    this.scheduler = await runScheduler(this.server);
    await waitFor("a plan", () => this.redis.get(this.keys.plan));
    await waitFor("both nodes", async () => (await this.scheduler.get<{ nodes: unknown[] }>(`${API_BASE}/nodes`)).nodes.length === 2);
  }

  private async close(): Promise<void> {
    await this.fleet.stop();
    await this.scheduler.close();
    await this.server.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  environment(): NodeJS.ProcessEnv {
    return { PATH: process.env["PATH"], EVENKEEL_URL: this.scheduler.url, EVENKEEL_TOKEN: OPERATOR_TOKEN };
  }

  run(args: readonly string[], extra: Readonly<Record<string, string>> = {}): Promise<Ended> {
    return evenkeel(args, { ...this.environment(), ...extra });
  }

  async json<T>(args: readonly string[]): Promise<T> {
    return JSON.parse((await this.run([...args, "--json"])).out) as T;
  }

  /** A command that stays, and what it has said so far. */
  follow(args: readonly string[]): { readonly ended: Promise<Ended>; err(): string } {
    let err = "";
    const ended = new Promise<Ended>((resolve) => {
      const child = execFile(COMMAND, args, { env: this.environment() }, (error, out) => {
        resolve({ code: error === null ? 0 : Number(error.code), out, err });
      });
      child.stderr?.on("data", (data: string) => {
        err += data;
      });
    });
    return { ended, err: () => err };
  }

  openMigration(): Promise<MigrationRecord> {
    return waitFor("a migration", async () => (await listMigrations(this.redis, this.keys, 0))[0]);
  }

  /** What an executor does to the record, without the container. */
  async finish(record: MigrationRecord): Promise<void> {
    const { redis, keys, fleet } = this;
    const at = () => Date.now() / 1000;
    const { epoch } = (await claimMigration(redis, keys, record.id, at()))!;
    const fields = { blackoutSeconds: 0.25, bytes: { memory: 1_048_576 }, modeUsed: "stopcopy" };
    await advanceMigration(redis, keys, at(), { id: record.id, epoch, stage: "restore", fields });
    expect(await commitMigration(redis, keys, record.id, epoch, at())).to.equal(true);
    const from = fleet.node(record.from);
    const moved = from.workloads.find(({ name }) => name === record.name)!;
    from.workloads = from.workloads.filter((workload) => workload !== moved);
    fleet.node(record.to).workloads.push(moved);
    await closeMigration(redis, keys, record, at(), { result: "succeeded" });
  }
}
