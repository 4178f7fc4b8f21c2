import { type Finding, finding } from "../../platform/findings.js";
import { type MigrationRecord, readMigration } from "../../platform/migration-record.js";
import type { Companion, WorkloadDescription } from "../engine/engine.js";
import type { TwinRequest } from "../peer/protocol.js";
import type { Surroundings } from "./migration.js";

/** The migrations that are carried out as one with a migration, itself among them, by the container that each moves. */
export type Company = ReadonlyMap<string, string>;

type Shares = Pick<WorkloadDescription, "sharedNetwork" | "sharedIpc">;

export async function readCompany({ redis, keys }: Surroundings, { id, containerId, members }: MigrationRecord): Promise<Company> {
  const records = await Promise.all(members.map((member) => readMigration(redis, keys, member)));
  return new Map([[containerId, id], ...records.flatMap((record) => (record === null ? [] : [[record.containerId, record.id] as const]))]);
}

/** Of them, those of the containers whose namespaces a workload has joined. */
export function ownersAmong(company: Company, { sharedNetwork, sharedIpc }: Shares): TwinRequest["owners"] {
  const migrationOf = (owner: Companion | null) => company.get(owner?.containerId ?? "") ?? null;
  return { network: migrationOf(sharedNetwork.owner), ipc: migrationOf(sharedIpc.owner) };
}

/** Whether all that share the workload's network or IPC namespace go with it, in a way in which they can. */
export function companyFindings({ sharedNetwork, sharedIpc }: Shares, company: Company, isCold: boolean): Finding[] {
  return [...goTogether("network", sharedNetwork, company, isCold), ...goTogether("IPC namespace", sharedIpc, company, isCold)];
}

function goTogether(
  what: string,
  { owner, joiners }: { readonly owner: Companion | null; readonly joiners: readonly Companion[] },
  company: Company,
  isCold: boolean,
): Finding[] {
  const others = owner === null ? joiners : [owner, ...joiners];
  if (others.length === 0) return [];
  const names = (list: typeof others) => list.map(({ name }) => name).join(", ");
  if (isCold)
    return [
      finding("shared-namespace", `It shares its ${what} with ${names(others)} and would be moved cold`, {
        hint: `One that is stopped has no ${what} for the others: take the labels that let it move cold away, or what stands in the way of moving it as it runs.`,
      }),
    ];
  const left = others.filter(({ containerId }) => !company.has(containerId));
  if (left.length === 0) return [];
  return [
    finding("shared-namespace", `It shares its ${what} with ${names(left)}, which does not move with it`, {
      hint: "Both must run when the move begins; the scheduler takes them together once a sample has shown both.",
    }),
  ];
}
