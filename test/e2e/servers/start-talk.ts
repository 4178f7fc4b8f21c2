import { join } from "node:path";
import { ask, clientsAt } from "../../../lab/clients/read-report.js";
import { type Report, reportSchema } from "../../../lab/clients/report.js";
import type { Lab } from "../../../lab/lab.js";
import type { Audit } from "./audited.js";

export interface Talking extends ReturnType<typeof clientsAt> {
  /** Ends all conversations; gives the last report. */
  stop(): Promise<Report>;
  /** Compares all that the server holds with what its clients gave it. */
  audit(server: string): Promise<Audit>;
}

const PROGRAM = "/opt/evenkeel/dist/test/e2e/servers/talk.js";
const SOCKET = "talk.sock";

/** Starts talk.ts in the lab's `clients` machine. */
export async function startTalking(lab: Lab): Promise<Talking> {
  await lab.clients.spawn(["node", PROGRAM, "--report", `/shared/${SOCKET}`], { name: "talk" });
  const socket = join(lab.sharedDirectory, SOCKET);
  return {
    ...clientsAt(socket),
    stop: async () => reportSchema.parse(await ask(socket, "POST", "/stop")),
    audit: async (server) => (await ask(socket, "POST", "/audit", { server })) as Audit,
  };
}
