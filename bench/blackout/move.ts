import { randomUUID } from "node:crypto";
import { Queue } from "bullmq";
import { waitFor } from "../../lab/deadline.js";
import type { Fleet } from "../../lab/fleet/fleet.js";
import { nowSeconds } from "../../platform/clock.js";
import { createMigration, type MigrationRecord, readMigration } from "../../platform/migration-record.js";

/** 4 GiB over a busy machine, its pages filled in afterwards, included. */
const MOVE_DEADLINE_SECONDS = 300;
/** Whoever asks all the time takes of the processors on which the move is measured. */
const LOOK_MILLISECONDS = 200;
/** An emulated node reports seldom. */
const SAMPLE_DEADLINE_SECONDS = 60;

/** Moves a workload as the scheduler would: a record, a job, and the record closed by the executors. @throws when the move failed. */
export async function move(fleet: Fleet, name: string, route: { from: string; to: string; mode: string }): Promise<MigrationRecord> {
  const { redis, keys } = fleet;
  const [container] = await fleet.lab.node(route.from).docker.listContainers({ filters: { name: [`^/${name}$`] } });
  if (container === undefined) throw new Error(`${route.from} does not run ${name}`);
  await waitFor(`${name} to be in a sample of ${route.from}`, SAMPLE_DEADLINE_SECONDS, async () =>
    (await redis.get(keys.nodeSample(route.from)))?.includes(container.Id),
  );
  const id = randomUUID();
  const order = { id, workload: name, name, containerId: container.Id, reason: "operator", because: "measured", ...route };
  await createMigration(redis, keys, order, nowSeconds(), 0);
  const queue = new Queue(keys.migrateQueue(route.from), { connection: redis as never, prefix: keys.queuePrefix });
  await queue.add("migrate", { migrationId: id }, { jobId: id, removeOnComplete: true, removeOnFail: true });
  const ended = async () => {
    const read = await readMigration(redis, keys, id);
    return read?.closedAt != null && read;
  };
  const record = await waitFor(`the move of ${name} to ${route.to} to end`, MOVE_DEADLINE_SECONDS, ended, LOOK_MILLISECONDS);
  if (record.result !== "succeeded") throw new Error(`the move of ${name} to ${route.to} ${record.result}: ${record.errorMessage}`);
  return record;
}
