import { type Address, Connection } from "../../../lab/clients/connection.js";
import { encodeCommand, RespError, type RespReply, readReply } from "../../../lab/clients/resp.js";
import { knownBytes } from "../../../lab/workloads/known-files.js";
import type { Audited } from "./audited.js";

/** Commands that are on their way at once. */
const BATCH = 16;
const VALUE_BYTES = 100;
const AUDIT_BATCH = 256;

/** Writes key after key, several at once, and knows which writes were acknowledged. */
export function makeRedisLogCaller(name: string): Audited {
  const acknowledged: string[] = [];
  let writes = 0;
  const contentsOf = (key: string) => knownBytes(key, VALUE_BYTES);

  async function writeBatch(connection: Connection): Promise<string[]> {
    const keys = Array.from({ length: BATCH }, () => `${name}:${++writes}`);
    connection.write(Buffer.concat(keys.map((key) => encodeCommand(["SET", key, contentsOf(key)]))));
    const faults: string[] = [];
    for (const key of keys) {
      const reply = await readOne(connection);
      if (reply === "OK") acknowledged.push(key);
      else faults.push(`SET ${key} answered ${String(reply)}`);
    }
    return faults;
  }

  async function readBack(connection: Connection, keys: readonly string[]): Promise<string[]> {
    connection.write(Buffer.concat(keys.map((key) => encodeCommand(["GET", key]))));
    const faults: string[] = [];
    for (const key of keys) {
      const value = await readOne(connection);
      if (!Buffer.isBuffer(value) || !value.equals(contentsOf(key))) faults.push(`${key} was acknowledged and holds ${String(value)}`);
    }
    return faults;
  }

  return {
    call: async (address: Address) => {
      const connection = await Connection.open(address);
      let asked = 0;
      return {
        localPort: connection.localPort,
        close: () => connection.close(),
        ask: async () => {
          if (asked++ % 2 === 0) return writeBatch(connection);
          const from = Math.floor(Math.random() * Math.max(1, acknowledged.length - BATCH));
          return readBack(connection, acknowledged.slice(from, from + BATCH));
        },
      };
    },
    audit: async (address) => {
      const connection = await Connection.open(address);
      const faults: string[] = [];
      for (let at = 0; at < acknowledged.length; at += AUDIT_BATCH) {
        faults.push(...(await readBack(connection, acknowledged.slice(at, at + AUDIT_BATCH))));
      }
      connection.close();
      return { checked: acknowledged.length, faults };
    },
  };
}

/** An error that the server answers is a wrong answer, not the end of the connection. */
async function readOne(connection: Connection): Promise<RespReply> {
  return readReply(connection).catch((error: unknown) => {
    if (error instanceof RespError) return error.message;
    throw error;
  });
}
