import { nowSeconds } from "../../platform/clock.js";
import { abortMigration, type Closing, closeMigration, listMigrations, type MigrationRecord } from "../../platform/migration-record.js";
import { recordAudit } from "../audit.js";
import type { Actor } from "./start-migration.js";

/**
 * Closes what a node that has been forgotten left open as a source, which only that node's executor would have closed: what had not committed counts
 * there, should it come back, and what had counts at the destination. `isKnown`: whether there is such a node; `term`: 0 where an operator asks for it.
 * @returns ids of those closed. @throws FENCED
 */
export async function settleLostSources(
  { redis, keys, term }: Pick<Actor, "redis" | "keys" | "term">,
  isKnown: (node: string) => boolean,
): Promise<string[]> {
  const settled: string[] = [];
  for (const record of await listMigrations(redis, keys, 0)) {
    if (record.closedAt !== null || isKnown(record.from)) continue;
    const at = nowSeconds();
    const outcome = await abortMigration(redis, keys, record.id, at, `${record.from} is gone for good`, term);
    if (outcome !== "aborted" && outcome !== "committed") continue;
    const closing = closingWithout(record, outcome);
    await closeMigration(redis, keys, record, at, closing);
    const { id: migration, workload } = record;
    const detail = `${record.from} is gone for good: closed as ${closing.result}${closing.errorMessage ? `, ${closing.errorMessage}` : ""}`;
    await recordAudit(redis, keys, { at, kind: "source-lost", actor: "scheduler", migration, workload, detail }, 0);
    settled.push(record.id);
  }
  return settled;
}

function closingWithout({ name, from, to, stage, modeUsed }: MigrationRecord, outcome: "aborted" | "committed"): Closing {
  if (outcome === "aborted")
    return { result: "failed", errorCode: "NODE_LOST", errorMessage: `${name} counts on ${from}, should that come back` };
  // By postcopy the destination had needed the source until then.
  if (modeUsed !== "postcopy" || stage === "cleanup") return { result: "succeeded" };
  return { result: "failed", errorCode: "NODE_LOST", errorMessage: `${name} counts on ${to}, without what had not come of its memory` };
}
