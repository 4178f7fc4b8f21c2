import { parentPort, Worker, workerData } from "node:worker_threads";
import { EvenkeelError } from "../platform/errors.js";
import type { PolicyConfig } from "../policies/config.js";
import type { Snapshot } from "../policies/types.js";
import type { Change } from "../policies/what-if/imagine.js";
import { type Foresight, foreseeChange } from "./foresight.js";

const TIMEOUT_MILLISECONDS = 60_000;

interface Question {
  readonly snapshot: Snapshot;
  readonly config: PolicyConfig;
  readonly change: Change;
}

/**
 * `foreseeChange` in a thread of its own: playing a large fleet forward takes longer than a leader may go without renewing its lease.
 * @throws INTERNAL when it takes more than a minute.
 */
export function foreseeAside(question: Question): Promise<Foresight> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: question });
    const timer = setTimeout(() => {
      reject(new EvenkeelError("INTERNAL", "looking ahead took more than a minute; try `evenkeel snapshot` and `evenkeel simulate`"));
      void worker.terminate();
    }, TIMEOUT_MILLISECONDS);
    worker.once("message", (answer: Foresight) => resolve(answer));
    worker.once("error", reject);
    worker.once("exit", () => clearTimeout(timer));
  });
}

// This file is also what the thread runs.
const { snapshot, config, change } = (workerData ?? {}) as Partial<Question>;
if (parentPort !== null && snapshot !== undefined && config !== undefined && change !== undefined) {
  parentPort.postMessage(foreseeChange(snapshot, config, change));
}
