import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Lab } from "../../../lab/lab.js";
import { type LabWorkload, WORKLOADS } from "../../../lab/workloads/workload-table.js";
import { waitFor } from "../../support/wait-for.js";

const PORT = 9999;
const FILE = "ticks";
/** Enough to be restored lazily. */
const BALLAST_MEGABYTES = 40;
/** Sent, and wound back from ever after, when a piece of its memory is not what it was. */
export const LOST_MEMORY = 0;

const program = (address: string) => `
import os, runpy, socket, sys, threading, time, zlib

PIECE = 1 << 16
ballast = os.urandom(${BALLAST_MEGABYTES} << 20)
sums = [zlib.crc32(ballast[at:at + PIECE]) for at in range(0, len(ballast), PIECE)]

def tick():
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    number = 0
    while True:
        number += 1
        at = number % len(sums)
        if zlib.crc32(ballast[at * PIECE:(at + 1) * PIECE]) != sums[at]:
            number = ${LOST_MEMORY}
        try:
            out.sendto(f"{number}\\n".encode(), ("${address}", ${PORT}))
        except OSError:
            pass
        time.sleep(0.02)

threading.Thread(target=tick, daemon=True).start()
sys.argv = ["appender", "--port", "7000", "--file", "/data/journal", "--rate", "20"]
runpy.run_path("/srv/appender.py", run_name="__main__")
`;

/** 10.77.0.3, see lab/lab.ts. */
const CLIENTS_ADDRESS = "10.77.0.3";

/**
 * The journal, with a clock that cannot be wound back: it sends 1, 2, 3 … by UDP and never one number twice. A copy that ran beside another, went
 * on from where the other had been, or was started anew would send numbers that have been there. With each number it checks a piece of its memory.
 */
export const TICKER: LabWorkload = {
  ...WORKLOADS.find(({ name }) => name === "journal")!,
  name: "ticker",
  command: ["python3", "-S", "-B", "-c", program(CLIENTS_ADDRESS)],
  volumes: [{ name: "ticker-journal", target: "/data" }],
};

export interface Ticks {
  /** The numbers in the order of their arrival. */
  read(): Promise<number[]>;
  /** Resolves when another one has come. */
  goOn(): Promise<void>;
}

/** Writes down what the ticker sends. Start it before the workload. */
export async function recordTicks(lab: Lab): Promise<Ticks> {
  await lab.clients.spawn(["socat", "-u", `UDP-RECV:${PORT}`, `OPEN:/shared/${FILE},creat,append`], { name: "ticks" });
  const path = join(lab.sharedDirectory, FILE);
  const read = async () => {
    const text = await readFile(path, "utf8").catch(() => "");
    return text.split("\n").slice(0, -1).map(Number);
  };
  return {
    read,
    goOn: async () => {
      const before = (await read()).length;
      await waitFor("the ticker to go on", async () => (await read()).length > before + 2, { deadlineSeconds: 120 });
    },
  };
}

/** Numbers that came although a greater or the same one had come before. */
export function woundBack(ticks: readonly number[]): string[] {
  return ticks.flatMap((tick, index) => (index > 0 && tick <= ticks[index - 1]! ? [`${tick} after ${ticks[index - 1]}`] : []));
}
