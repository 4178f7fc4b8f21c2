import { createHash, randomBytes } from "node:crypto";
import { createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { crc32 } from "node:zlib";

/**
 * What ledger.py does, on Node.js: one event loop for all connections, which hands the hashing to a worker thread that remembers what it did.
 * Runs alone in its image: it may import nothing of the project.
 */
interface Work {
  readonly id: number;
  readonly connection: number;
  readonly before: string;
  readonly word: string;
}

const START = "0".repeat(64);
const PIECES = 48;
const PIECE_BYTES = 1 << 20;
const CHURN_MILLISECONDS = 50;

const chained = (before: string, word: string) => createHash("sha256").update(`${before} ${word}`).digest("hex");

function work(): void {
  const own = new Map<number, number>();
  parentPort!.on("message", ({ id, connection, before, word }: Work) => {
    own.set(connection, (own.get(connection) ?? 0) + 1);
    parentPort!.postMessage({ id, tip: chained(before, word), own: own.get(connection) });
  });
}

/** Replaces piece after piece of its memory, and ends the server when one is not what it was. */
function churn(): void {
  const pieces: { bytes: Buffer; sum: number }[] = [];
  let turn = 0;
  setInterval(() => {
    const index = turn++ % PIECES;
    const piece = pieces[index];
    if (piece !== undefined && crc32(piece.bytes) !== piece.sum) process.exit(3);
    const bytes = randomBytes(PIECE_BYTES);
    pieces[index] = { bytes, sum: crc32(bytes) };
  }, CHURN_MILLISECONDS);
}

function serve(port: number): void {
  const ledgers = new Map<string, { word: string; tip: string }[]>();
  const waiting = new Map<number, (done: { tip: string; own: number }) => void>();
  const worker = new Worker(new URL(import.meta.url));
  worker.on("message", (done: { id: number; tip: string; own: number }) => {
    waiting.get(done.id)?.(done);
    waiting.delete(done.id);
  });
  let works = 0;
  let connections = 0;

  async function answer(connection: number, name: string, words: readonly string[]): Promise<string> {
    const entries = ledgers.get(words[1] === "audit" ? words[2]! : name) ?? [];
    if (words[1] === "open") {
      ledgers.set(name, entries);
      return "opened";
    }
    if (words[1] === "audit") return `${entries.length} ${entries.reduce((tip, { word }) => chained(tip, word), START)}`;
    if (words[1] !== "put") return `error ${words[1]}`;
    const word = words[2]!;
    const { tip, own } = await new Promise<{ tip: string; own: number }>((resolve) => {
      const id = ++works;
      waiting.set(id, resolve);
      worker.postMessage({ id, connection, before: entries.at(-1)?.tip ?? START, word } satisfies Work);
    });
    entries.push({ word, tip });
    return `${entries.length} ${tip} ${own}`;
  }

  async function converse(socket: Socket): Promise<void> {
    const connection = ++connections;
    socket.setNoDelay(true);
    let name = "";
    let served = 0;
    for await (const line of createInterface({ input: socket })) {
      const words = line.split(" ");
      if (words[1] === "open") name = words[2]!;
      const text = `${words[0]} ${++served} ${await answer(connection, name, words)}`;
      socket.write(`${text} ${crc32(text).toString(16).padStart(8, "0")}\n`);
    }
  }

  createServer((socket) => {
    socket.on("error", () => {});
    void converse(socket).catch(() => socket.destroy());
  }).listen(port, () => console.log("ready"));
}

if (isMainThread) {
  churn();
  serve(Number(process.argv[2]));
} else {
  work();
}
