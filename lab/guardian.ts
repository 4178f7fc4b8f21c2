import { once } from "node:events";
import { takeDown } from "./take-down.js";

/**
 * node guardian.js LAB: outlives the process that started the lab. Its standard input is a pipe whose other end only that process
 * holds: when it closes, for whatever reason, the lab is taken down.
 */
const lab = process.argv[2];
if (!lab) throw new Error("usage: guardian.js LAB");
process.stdin.resume();
process.stdout.write("ready\n");
// A terminal's Ctrl-C or a polite end is for the orchestrator; this process goes last.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
process.stdout.on("error", () => undefined);
await once(process.stdin, "end");
await takeDown(lab);
