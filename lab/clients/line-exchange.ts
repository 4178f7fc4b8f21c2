import { crc32 } from "node:zlib";
import type { Connection } from "./connection.js";

export interface LineAnswer {
  readonly fields: readonly string[];
  /** What is wrong with the answer as such; its fields mean nothing then. */
  readonly faults: readonly string[];
}

/** Requests and answers of the Python workloads (`lab/workloads/programs/line_server.py` has the format). */
export class LineExchange {
  readonly #connection: Connection;
  #sequence = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** The number of the newest request, from 1. */
  get sequence(): number {
    return this.#sequence;
  }

  async ask(words: string): Promise<LineAnswer> {
    const expected = String(++this.#sequence);
    this.#connection.write(`${expected} ${words}\n`);
    const line = await this.#connection.readLine();
    const sealed = line.slice(0, line.lastIndexOf(" "));
    const [sequence, served, ...fields] = sealed.split(" ");
    const faults: string[] = [];
    if (crc32(sealed).toString(16).padStart(8, "0") !== line.slice(sealed.length + 1))
      faults.push(`checksum does not fit: ${line.slice(0, 120)}`);
    else if (sequence !== expected) faults.push(`answer to request ${sequence}, expected ${expected}`);
    else if (served !== expected) faults.push(`${served} requests served on this connection, expected ${expected}`);
    else if (fields[0] === "error") faults.push(`the workload answered ${fields.join(" ")} to ${words}`);
    return { fields, faults };
  }
}

/** A caller's dialogue over lines: `next` gives the words of each request and the check of its fields. */
export function lineDialogue(connection: Connection, next: () => LineRequest) {
  const exchange = new LineExchange(connection);
  return {
    localPort: connection.localPort,
    close: () => connection.close(),
    async ask(): Promise<readonly string[]> {
      const { words, check } = next();
      const { fields, faults } = await exchange.ask(words);
      return faults.length > 0 ? faults : check(fields, exchange.sequence);
    },
  };
}

export interface LineRequest {
  readonly words: string;
  readonly check: (fields: readonly string[], sequence: number) => readonly string[];
}
