import { knownBytes } from "../workloads/known-files.js";
import { Connection } from "./connection.js";
import type { Caller } from "./dialogue.js";
import { encodeCommand, RespError, type RespReply, readReply } from "./resp.js";

export interface RedisLoad {
  /** Keys whose values never change; times valueBytes is what the server holds. */
  readonly heldKeys: number;
  readonly valueBytes: number;
  /** Keys that are rewritten and read back all the time. */
  readonly liveKeys: number;
}

export const REDIS_LOAD: RedisLoad = { heldKeys: 25_600, valueBytes: 4096, liveKeys: 500 };

const FILL_AT_ONCE = 256;
const FILLED = "held:filled";

/** Fills the server once, then in turn writes a live key, reads one back, and reads a held one. */
export function makeRedisCaller(load: RedisLoad = REDIS_LOAD, random: () => number = Math.random): Caller {
  const written = new Map<string, number>();
  let filled = false;
  let writes = 0;

  const heldValue = (index: number) => knownBytes(`held ${index}`, load.valueBytes);
  const liveValue = (key: string, write: number) => knownBytes(`${key} ${write}`, 64);
  const pick = (count: number) => Math.floor(random() * count);

  /** Gives a fault if the server held the data before and does not any more. */
  async function fill(connection: Connection): Promise<string[]> {
    const present = await command(connection, ["GET", FILLED]);
    if (Buffer.isBuffer(present) && present.toString() === String(load.heldKeys)) {
      filled = true;
      return [];
    }
    const faults = filled ? ["the server has lost what it held"] : [];
    written.clear();
    for (let first = 0; first < load.heldKeys; first += FILL_AT_ONCE) {
      const pairs: (string | Buffer)[] = [];
      for (let index = first; index < Math.min(first + FILL_AT_ONCE, load.heldKeys); index++) pairs.push(`held:${index}`, heldValue(index));
      await command(connection, ["MSET", ...pairs]);
    }
    await command(connection, ["SET", FILLED, String(load.heldKeys)]);
    filled = true;
    return faults;
  }

  async function write(connection: Connection): Promise<string[]> {
    const key = `live:${pick(load.liveKeys)}`;
    const number = ++writes;
    // Until the answer is here either value may be the right one, so the key is not judged.
    written.delete(key);
    const reply = await command(connection, ["SET", key, liveValue(key, number)]);
    if (reply !== "OK") return [`SET ${key} answered ${shown(reply)}`];
    written.set(key, number);
    return [];
  }

  async function readBack(connection: Connection): Promise<string[]> {
    const [key, number] = [...written][pick(written.size)] ?? [];
    if (key === undefined || number === undefined) return write(connection);
    return compare(key, await command(connection, ["GET", key]), liveValue(key, number));
  }

  async function readHeld(connection: Connection): Promise<string[]> {
    const index = pick(load.heldKeys);
    return compare(`held:${index}`, await command(connection, ["GET", `held:${index}`]), heldValue(index));
  }

  return async (address) => {
    const connection = await Connection.open(address);
    const requests = [write, readBack, readHeld];
    let earlierFaults = await fill(connection);
    let asked = 0;
    return {
      localPort: connection.localPort,
      close: () => connection.close(),
      async ask() {
        const faults = earlierFaults;
        earlierFaults = [];
        try {
          return [...faults, ...(await requests[asked++ % requests.length]!(connection))];
        } catch (error) {
          if (error instanceof RespError) return [...faults, `the server answered: ${error.message}`];
          throw error;
        }
      },
    };
  };
}

async function command(connection: Connection, parts: readonly (string | Buffer)[]): Promise<RespReply> {
  connection.write(encodeCommand(parts));
  return readReply(connection);
}

function compare(key: string, reply: RespReply, expected: Buffer): string[] {
  if (Buffer.isBuffer(reply) && reply.equals(expected)) return [];
  return [`GET ${key} answered ${shown(reply)}, expected ${shown(expected)}`];
}

function shown(reply: RespReply): string {
  return Buffer.isBuffer(reply) ? `${reply.length} bytes ${reply.subarray(0, 8).toString("hex")}…` : String(reply);
}
