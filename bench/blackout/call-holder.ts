import { Connection } from "../../lab/clients/connection.js";
import type { Caller } from "../../lab/clients/dialogue.js";
import { lineDialogue } from "../../lab/clients/line-exchange.js";
import { expectedChecksum } from "./expected-chunk.js";

/** Goes through all of the holder's memory, chunk by chunk, round and round, and checks each answer and the counters in it. */
export function makeHolderCaller(firstChunk = 0): Caller {
  return async (address) => {
    let chunks = firstChunk + 1;
    let rewrittenSeen = 0;
    let next = firstChunk;
    return lineDialogue(await Connection.open(address), () => {
      const chunk = next;
      next = (next + 1) % chunks;
      return {
        words: `chunk ${chunk}`,
        check: ([chunkCount, rewrittenCount, checksum]) => {
          const rewritten = Number(rewrittenCount);
          if (!(rewritten >= rewrittenSeen)) return [`${rewrittenCount} chunks rewritten, but ${rewrittenSeen} were before`];
          [chunks, rewrittenSeen] = [Number(chunkCount), rewritten];
          const expected = expectedChecksum(chunk, chunks, rewritten);
          return checksum === expected ? [] : [`chunk ${chunk} has checksum ${checksum}, expected ${expected}`];
        },
      };
    });
  };
}
