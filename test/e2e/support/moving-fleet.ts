import { readFile } from "node:fs/promises";
import { Queue } from "bullmq";
import { type NodeSample, nodeSampleSchema, type WorkloadSample } from "../../../collector/protocol.js";
import type { clientsAt } from "../../../lab/clients/read-report.js";
import type { ClientReport } from "../../../lab/clients/report.js";
import { type Fleet, type FleetOptions, startFleet } from "../../../lab/fleet/fleet.js";
import { startPart } from "../../../lab/fleet/parts.js";
import type { LabKind } from "../../../lab/lab.js";
import type { LabContainer, LabWorkload } from "../../../lab/workloads/workload-table.js";
import { nowSeconds } from "../../../platform/clock.js";
import { createMigrations, type Learned, type MigrationRecord, readMigration } from "../../../platform/migration-record.js";
import { connectRedis } from "../../../platform/redis.js";
import { MIGRATE_JOB, type MigrateJob } from "../../../scheduler/protocol.js";
import { waitFor } from "../../support/wait-for.js";

export const FIRST = "node1";
export const SECOND = "node2";

/** platform/config.ts's default. */
const PEER_PORT = 9443;
/** A virtual node's memory is taken as it is used. Each emulated core is a thread of the host: one node mostly waits for the other, so two make both quicker. */
const NODE_SIZES = {
  namespaces: { cpuCores: 1, memoryBytes: 3 * 1024 ** 3 },
  vm: { cpuCores: 2, memoryBytes: 1.5 * 1024 ** 3 },
};
/** Of clients, unless told otherwise: each answer costs an emulated core what a hundred cost others. */
const PAUSE_MILLISECONDS = { namespaces: 40, vm: 200 };
/** The machine may have other work: a move that takes this long has stopped. An emulated node may have to boot first. */
const CLOSED_DEADLINE_SECONDS = { namespaces: 90, vm: 400 };

/** Two nodes with executors, workloads on the first, and clients that check every answer. No scheduler: the test is it. */
export interface MovingFleet {
  readonly fleet: Fleet;
  /** Opens a record and delivers its job, as the scheduler would. Returns the record's id. */
  begin(workload: string, from: string, to: string, mode?: string, learned?: Learned): Promise<string>;
  /** The same for workloads that move as one. Returns the records' ids. */
  beginTogether(workloads: readonly string[], from: string, to: string, mode?: string, learned?: Learned): Promise<string[]>;
  /** Waits until it is decided which copy counts. */
  settled(id: string): Promise<MigrationRecord>;
  /** Waits until the record is closed. */
  closed(id: string): Promise<MigrationRecord>;
  /** `begin`, then `closed`. */
  move(workload: string, from: string, to: string, mode?: string, learned?: Learned): Promise<MigrationRecord>;
  /** Moves it and throws, with the record's reason, unless that succeeded. */
  moveWell(workload: string, from: string, to: string, mode?: string, learned?: Learned): Promise<MigrationRecord>;
  client(workload: string): Promise<ClientReport>;
  /** As a node's newest sample has the workload; one that has just come may not be in it yet. */
  sampled(workload: string, node: string): Promise<WorkloadSample | undefined>;
  /** Has Docker restart it, and waits for a sample that shows it since. */
  restart(workload: string, node: string): Promise<void>;
  /** Waits until the workload has given some more answers over the connection it had. */
  answersOn(workload: string): Promise<ClientReport>;
  /** Mends a node's link and waits until it reports again: it tries Redis ever more seldom while it cannot reach it, and its last sample expires meanwhile. */
  heal(node: string): Promise<void>;
  /** Starts a part again on a node that lost power. */
  startPart(node: string, part: "collector"): Promise<void>;
  /** Starts the executor again that was killed; resolves when peers can reach it. */
  startExecutor(node: string): Promise<void>;
  executorLog(node: string): string;
  close(): Promise<string[]>;
}

export interface MovingFleetOptions extends Pick<FleetOptions, "rootDirectory" | "recipes" | "onProgress"> {
  /** Workloads that the lab's clients talk to; by default all that these know how to talk to. */
  readonly asked?: readonly LabWorkload[];
  /** Of the clients, between an answer and the next request. */
  readonly pauseMs?: number;
  readonly kind?: LabKind;
  /** Of nodes that have more cores than usual. */
  readonly cores?: Readonly<Record<string, number>>;
  /** What is different about Docker on both nodes of namespaces. */
  readonly docker?: Readonly<Record<string, unknown>>;
  /** And on one of them. */
  readonly dockerOf?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Done once the fleet is up, before any workload runs. */
  readonly before?: (fleet: Fleet) => Promise<void>;
  /** Starts what is to run beside the workloads, whose images are there, before clients ask. */
  readonly beside?: (fleet: Fleet) => Promise<void>;
}

export async function startMovingFleet(
  name: string,
  workloads: readonly LabContainer[],
  {
    asked = workloads.filter(isLabWorkload),
    before,
    beside,
    cores = {},
    docker = {},
    dockerOf = {},
    kind = "namespaces",
    pauseMs = PAUSE_MILLISECONDS[kind],
    ...options
  }: MovingFleetOptions = {},
): Promise<MovingFleet> {
  const nodes = [FIRST, SECOND].map((name) => {
    const size = NODE_SIZES[kind];
    return { name, ...size, cpuCores: cores[name] ?? size.cpuCores, docker: { ...docker, ...dockerOf[name] } };
  });
  const fleet = await startFleet({ ...options, name, kind, nodes, withScheduler: false, withPrometheus: false });
  try {
    await before?.(fleet);
    for (const workload of workloads) await fleet.runWorkload(workload, FIRST);
    await beside?.(fleet);
    const clients = asked.length === 0 ? null : await fleet.startClients(asked, { pauseMs });
    return makeMovingFleet(fleet, clients, kind);
  } catch (error) {
    await fleet.close();
    throw error;
  }
}

const isLabWorkload = (container: LabContainer): container is LabWorkload => "protocol" in container;

function makeMovingFleet(fleet: Fleet, clients: ReturnType<typeof clientsAt> | null, kind: LabKind): MovingFleet {
  const { redis, keys, lab } = fleet;
  // BullMQ would close the fleet's own connection with its queue.
  const connection = connectRedis({ url: `unix://${lab.sharedDirectory}/redis.sock`, password: fleet.settings.redisPassword });
  const queues = new Map(
    lab.nodes.map((node) => [
      node.name,
      new Queue<MigrateJob>(keys.migrateQueue(node.name), { connection: connection as never, prefix: keys.queuePrefix }),
    ]),
  );
  // Without a listener it prints each lost connection; some tests kill Redis.
  for (const queue of queues.values()) queue.on("error", () => {});
  let count = 0;

  const client = async (workload: string) => {
    const report = (await clients?.report())?.clients.find((each) => each.workload === workload);
    if (report === undefined) throw new Error(`no client talks to ${workload}`);
    return report;
  };

  const beginTogether: MovingFleet["beginTogether"] = async (workloads, from, to, mode = "auto", learned) => {
    const records = await Promise.all(
      workloads.map(async (workload) => {
        const { Id } = await lab.node(from).docker.getContainer(workload).inspect();
        // The executor reserves room by the newest sample, which must know the container.
        await waitFor(`a sample of ${workload} on ${from}`, async () => (await redis.get(keys.nodeSample(from)))?.includes(Id), {
          deadlineSeconds: 180,
        });
        const id = `${workload}-${++count}`;
        const move = { id, workload, name: workload, containerId: Id, from, to, reason: "operator", because: "a test", mode };
        return { ...move, ...(learned && { learned }) };
      }),
    );
    await createMigrations(redis, keys, records, nowSeconds(), 0);
    const [{ id }] = records as [(typeof records)[number]];
    await queues.get(from)!.add(MIGRATE_JOB, { migrationId: id }, { jobId: id, removeOnComplete: true, removeOnFail: true });
    return records.map((record) => record.id);
  };

  const begin: MovingFleet["begin"] = async (workload, ...how) => (await beginTogether([workload], ...how))[0]!;

  const recordWhere = async (id: string, what: string, fits: (record: MigrationRecord) => boolean) => {
    let seen: MigrationRecord | null = null;
    return waitFor(
      `migration ${id} to be ${what}`,
      async () => {
        seen = await readMigration(redis, keys, id);
        return seen !== null && fits(seen) && seen;
      },
      { deadlineSeconds: CLOSED_DEADLINE_SECONDS[kind] },
    ).catch(async (error: unknown) => {
      // Nobody can look afterwards: the fleet is taken down.
      const logs = await Promise.all([FIRST, SECOND].map(async (name) => `${name}:\n${await endOf(executorLog(name))}`));
      throw new Error(`${String(error)}; the record: ${JSON.stringify(seen)}\n${logs.join("\n")}`);
    });
  };

  const closed = (id: string) => recordWhere(id, "closed", ({ closedAt }) => closedAt !== null);

  const executorLog: MovingFleet["executorLog"] = (node) => `${lab.node(node).folder}/log/executor.log`;

  const sampled: MovingFleet["sampled"] = async (workload, node) => {
    const text = await redis.get(keys.nodeSample(node));
    return text === null ? undefined : nodeSampleSchema.parse(JSON.parse(text)).workloads.find(({ name }) => name === workload);
  };

  const move: MovingFleet["move"] = async (...how) => closed(await begin(...how));

  return {
    fleet,
    begin,
    beginTogether,
    settled: (id) => recordWhere(id, "settled", ({ outcome }) => outcome !== "pending"),
    closed,
    move,
    moveWell: async (...how) => {
      const record = await move(...how);
      if (record.result !== "succeeded") throw new Error(`${record.result}: ${record.errorMessage}`);
      return record;
    },
    client,
    sampled,
    restart: async (workload, node) => {
      const { startedAt } = await waitFor(`a sample of ${workload}`, () => sampled(workload, node));
      await lab.node(node).docker.getContainer(workload).restart({ t: 1 });
      await waitFor(`a sample of ${workload} that was restarted`, async () => {
        const now = await sampled(workload, node);
        return now?.startedAt != null && now.startedAt > startedAt! && now.memoryUsedBytes !== null;
      });
    },
    answersOn: async (workload) => {
      const before = await client(workload);
      return waitFor(
        `${workload} to go on answering`,
        async () => {
          const now = await client(workload);
          return now.requests > before.requests + 3 ? now : null;
        },
        { deadlineSeconds: 120 },
      ).catch(async (error: unknown) => {
        throw new Error(`${String(error)}; its client: ${JSON.stringify(await client(workload))}`);
      });
    },
    heal: async (name) => {
      await lab.node(name).heal();
      const mendedAt = nowSeconds();
      await waitFor(
        `${name} to report again`,
        async () => {
          const sample = await redis.get(keys.nodeSample(name));
          return sample !== null && (JSON.parse(sample) as NodeSample).at > mendedAt;
        },
        { deadlineSeconds: 60 },
      );
    },
    startPart: (node, part) => startPart(lab.node(node), part, fleet.settings),
    startExecutor: async (node) => {
      await startPart(lab.node(node), "executor", fleet.settings);
      await waitFor(
        `the executor of ${node} to listen`,
        async () => (await lab.node(node).exec(["ss", "-ltnH", `sport = :${PEER_PORT}`])).stdout !== "",
        { deadlineSeconds: 180 },
      );
    },
    executorLog,
    close: async () => {
      for (const queue of queues.values()) await queue.close();
      connection.disconnect();
      return fleet.close();
    },
  };
}

async function endOf(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch((error: Error) => error.message);
  return text.split("\n").slice(-30).join("\n");
}
