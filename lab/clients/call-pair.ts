import { Connection } from "./connection.js";
import type { Caller } from "./dialogue.js";
import { lineDialogue } from "./line-exchange.js";

/** All three counts of the pair must grow by one with each request, and its processes stay the same. */
export function makePairCaller(): Caller {
  return async (address) => {
    let processes: string | undefined;
    return lineDialogue(await Connection.open(address), () => ({
      words: "pass",
      check: ([parent, reader, worker, ...pids], sequence) => {
        const expected = String(sequence);
        const faults: string[] = [];
        if (parent !== expected) faults.push(`the parent counts ${parent}, expected ${expected}`);
        if (reader !== expected) faults.push(`the child's reading thread counts ${reader}, expected ${expected}`);
        if (worker !== expected) faults.push(`the child's working thread counts ${worker}, expected ${expected}`);
        processes ??= pids.join(" ");
        if (pids.join(" ") !== processes) faults.push(`process ids changed from ${processes} to ${pids.join(" ")}`);
        return faults;
      },
    }));
  };
}
