import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Lab } from "../lab.js";
import { type LabWorkload, WORKLOADS } from "../workloads/workload-table.js";
import { clientsAt } from "./read-report.js";
import { type Report, reportSchema } from "./report.js";
import { toTargets } from "./targets.js";

export interface LabClients extends ReturnType<typeof clientsAt> {
  /** Ends the program and gives its last report. */
  stop(): Promise<Report>;
}

export interface ClientsOptions {
  /** Between an answer and the next request; by default the program's own. */
  readonly pauseMs?: number | undefined;
}

/** Where machines find the project and the shared folder. */
const PROGRAM = "/opt/evenkeel/dist/lab/clients/main.js";
const SHARED = "/shared";

/** Starts the clients program in the lab's `clients` machine. It waits by itself for workloads that are not there yet. */
export async function startLabClients(
  lab: Lab,
  workloads: readonly LabWorkload[] = WORKLOADS,
  { pauseMs }: ClientsOptions = {},
): Promise<LabClients> {
  const [targets, socket, final] = ["clients-targets.json", "clients.sock", "clients-final.json"];
  await writeFile(join(lab.sharedDirectory, targets), JSON.stringify(toTargets(workloads)));
  const flags = ["--targets", `${SHARED}/${targets}`, "--report", `${SHARED}/${socket}`, "--final", `${SHARED}/${final}`];
  if (pauseMs !== undefined) flags.push("--pause-ms", String(pauseMs));
  const service = await lab.clients.spawn(["node", PROGRAM, ...flags], { name: "clients" });
  return {
    ...clientsAt(join(lab.sharedDirectory, socket)),
    async stop() {
      await service.kill("SIGTERM");
      return reportSchema.parse(JSON.parse(await readFile(join(lab.sharedDirectory, final), "utf8")));
    },
  };
}
