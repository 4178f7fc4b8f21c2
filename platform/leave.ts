import { collectGarbageNow } from "./collect-garbage.js";

// Node's own exit may never come to its end: it waits for V8's threads, of which one that compiles may wait for the main thread to collect garbage (nodejs/node#54918).

/** Ends this process with that code; without one, with `process.exitCode`. After a collection no thread has to wait for one. */
export function leave(code = process.exitCode): never {
  collectGarbageNow();
  process.exit(code);
}

/** Ends this process at once, whatever its threads do, and its children are left alone. Its code tells nothing: what has to be known is written down before. */
export function breakOff(): never {
  process.kill(process.pid, "SIGKILL");
  throw new Error("SIGKILL did not end this process");
}
