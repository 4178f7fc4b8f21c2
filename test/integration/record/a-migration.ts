import type { Redis } from "ioredis";
import type { Keys } from "../../../platform/keys.js";
import { createMigration, type MigrationRecord, type NewMigration, readMigration } from "../../../platform/migration-record.js";

export function aMigration(id: string, changes: Partial<NewMigration> = {}): NewMigration {
  return {
    id,
    workload: "shop",
    name: "shop",
    containerId: "c".repeat(64),
    from: "node1",
    to: "node2",
    reason: "operator",
    because: "a test",
    mode: "auto",
    ...changes,
  };
}

/** Opens a record at second 1. */
export async function open(redis: Redis, keys: Keys, id: string, changes: Partial<NewMigration> = {}): Promise<void> {
  await createMigration(redis, keys, aMigration(id, changes), 1, 0);
}

/** @throws when there is none. */
export async function mustRead(redis: Redis, keys: Keys, id: string): Promise<MigrationRecord> {
  const record = await readMigration(redis, keys, id);
  if (record === null) throw new Error(`no record ${id}`);
  return record;
}
