import { asEvenkeelError } from "./errors.js";
import { leave } from "./leave.js";
import type { Logger } from "./log.js";
import { makeLog } from "./log.js";

/** Runs a part's wiring. One that cannot start says why and what to do next, in one line, and ends with code 1. */
export async function runMain(part: string, main: (log: Logger) => Promise<void>): Promise<void> {
  const log = makeLog(part);
  try {
    await main(log);
  } catch (error) {
    const known = asEvenkeelError(error);
    log.fatal(
      { code: known.code, hint: known.hint, stack: known.code === "INTERNAL" ? known.stack : undefined },
      `cannot start: ${known.message}`,
    );
    // Open connections would keep the process alive.
    leave(1);
  }
}
