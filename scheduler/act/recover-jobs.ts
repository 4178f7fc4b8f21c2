import type { MigrationRecord } from "../../platform/migration-record.js";
import { recordAudit } from "../audit.js";
import { assertTerm } from "../lease.js";
import type { Actor } from "./start-migration.js";

/** Longer than any stage goes without a word, and than the queue needs to deliver. */
export const SILENT_SECONDS = 30;

/**
 * Delivers again what has an open record, has been silent, and has no live job: the scheduler died between the two writes, or the job ran
 * out of attempts. The executor goes on from the stage the record shows. A job that waits for a dead executor is left in its queue.
 * @returns ids of the migrations delivered again. @throws FENCED when a newer leader exists.
 */
export async function recoverJobs(actor: Actor, open: readonly MigrationRecord[], now: number): Promise<string[]> {
  const recovered: string[] = [];
  for (const record of open) {
    if (now - record.updatedAt < SILENT_SECONDS) continue;
    await assertTerm(actor.redis, actor.keys, actor.term);
    if (!(await actor.jobs.restore(record.id, record.from))) continue;
    recovered.push(record.id);
    const entry = { at: now, kind: "job-restored", migration: record.id, workload: record.workload, detail: `no job at ${record.stage}` };
    await recordAudit(actor.redis, actor.keys, entry, actor.term);
  }
  return recovered;
}
