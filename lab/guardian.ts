import { once } from "node:events";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { labFolder, writeRecord } from "./lab-record.js";
import { identify } from "./process-identity.js";
import { takeDown } from "./take-down.js";

/**
 * node guardian.js LAB PID: outlives the process PID that starts the lab. Its standard input is a pipe whose other end only that
 * process holds: when it closes, for whatever reason, the lab is taken down. It writes the lab's record, so that nothing of a lab
 * ever exists before its guardian.
 */
const [, , lab, orchestratorPid] = process.argv;
if (!lab || !orchestratorPid) throw new Error("usage: guardian.js LAB PID");
// A terminal's Ctrl-C or a polite end is for the orchestrator; this process goes last.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
process.stdout.on("error", () => undefined);
const released = once(process.stdin, "end");
process.stdin.resume();
await writeRecord({ name: lab, orchestrator: identify(Number(orchestratorPid)), guardian: identify(process.pid) });
process.stdout.write("ready\n");
await released;
try {
  await takeDown(lab);
} catch (error) {
  await appendFile(join(labFolder(lab), "guardian.log"), `${String(error)}\n`).catch(() => undefined);
  process.exitCode = 1;
}
