import { existsSync, openSync, readSync, unlinkSync, writeFileSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { createInterface } from "node:readline";
import { breakOff } from "../../platform/leave.js";
import { roundFolder } from "../image-rounds.js";
import { endWorkload, feedingMark } from "./end-workload.js";
import { assertWhole, type ImageLayer, letMemoryFollow, locate, readChain, readLayer } from "./image-chain.js";
import { prepareLazyDaemon, serveLazyDaemon } from "./lazy-daemon.js";
import { PAGE_BYTES } from "./pagemap-image.js";
import { takePrecedence } from "./precedence.js";

/**
 * `image-feeder.js FOLDER`: gives CRIU's lazy-pages daemon the pages of a workload from its images. From these the daemon could take them itself, but not where they came in rounds: it
 * cannot look for a page in an earlier round (criu/pagemap.c calls nobody back for it); and nobody could complete what it loses sight of. A process of its own, with the daemon as its child, so that
 * pages go on flowing while the executor is away; `executor/shim/feed-memory` ends the workload should it fail. Reads from stdin (its end, before `go`, ends the program) a line `round`: a round is
 * here, of which it reads the first ahead; and `go`: the last images are here. Then prints `ready`. Ends when the daemon has filled in every page.
 */
const [folder] = process.argv.slice(2) as [string];
/** In one answer: fewer pages than asked for is allowed. */
const MOST_PAGES = 256;

const mark = feedingMark(folder);

process.stdout.on("error", () => {});
// In words, for whoever waits: the guard ends what is left.
const stop = (error: unknown) => {
  if (existsSync(mark)) endWorkload(folder);
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  breakOff();
};
process.on("uncaughtException", stop);
/** Nearly all of the memory, and long here when the last images come. */
const readFirst = () => readLayer(roundFolder(`${folder}/images`, 1));
/** Changes when that round comes once more, because the answer to it was lost. */
const stampFirst = async () => {
  const round = roundFolder(`${folder}/images`, 1);
  const names = (await readdir(round)).filter((name) => name.startsWith("pagemap-")).sort();
  const each = names.map(async (name) => {
    const { ino, size, mtimeMs } = await stat(`${round}/${name}`);
    return `${name} ${ino} ${size} ${mtimeMs}`;
  });
  return (await Promise.all(each)).join("\n");
};
const readAhead = async () => ({ stamp: await stampFirst(), layer: await readFirst() });
let ahead: ReturnType<typeof readAhead> | null = null;

/** Null: it has not been read, or has come once more since. */
async function firstLayer(): Promise<ImageLayer | null> {
  const read = await ahead?.catch(() => null);
  return read && read.stamp === (await stampFirst()) ? read.layer : null;
}

const files = new Map<string, number>();

function readPages(layers: readonly ImageLayer[], pid: number, address: number, wanted: number): Buffer {
  const body = Buffer.allocUnsafe(wanted * PAGE_BYTES);
  for (let done = 0; done < wanted; ) {
    const place = locate(layers, pid, address + done * PAGE_BYTES);
    if (place === null) throw new Error(`no image of process ${pid} has its page at 0x${(address + done * PAGE_BYTES).toString(16)}`);
    const bytes = Math.min(place.pages, wanted - done) * PAGE_BYTES;
    readWhole(place.file, place.offset, body.subarray(done * PAGE_BYTES, done * PAGE_BYTES + bytes));
    done += bytes / PAGE_BYTES;
  }
  return body;
}

/** They lie in memory: a thread may stand still for these, and there is nothing else to do meanwhile. */
function readWhole(file: string, offset: number, into: Buffer): void {
  const descriptor = files.get(file) ?? openSync(file, "r");
  files.set(file, descriptor);
  for (let done = 0; done < into.length; ) {
    const count = readSync(descriptor, into, done, into.length - done, offset + done);
    if (count === 0) throw new Error(`${file} ends at ${offset + done}`);
    done += count;
  }
}

async function begin(): Promise<void> {
  const layers = await readChain(`${folder}/images`, await firstLayer());
  await assertWhole(layers);
  const ranges = await letMemoryFollow(layers);
  writeFileSync(mark, "");
  await lazy.begin();
  const noteRequest = takePrecedence();
  const served = serveLazyDaemon(lazy, ranges, ({ pid, address, pages: wanted }, answer) => {
    noteRequest();
    const pages = Math.min(wanted, MOST_PAGES);
    answer({ pid, address, pages }, [readPages(layers, pid, address, pages)]);
  });
  process.stdout.write("ready\n");
  await served;
  lazy.hold.kill("SIGKILL");
  unlinkSync(mark);
  breakOff();
}

// Where root may: the kernel's killer of processes should look elsewhere first. The daemon inherits it.
try {
  writeFileSync("/proc/self/oom_score_adj", "-900");
} catch {
  // Not in every container of a lab.
}
const lazy = prepareLazyDaemon(folder);
let hasBegun = false;
const orders: Readonly<Record<string, () => void>> = {
  round: () => {
    ahead ??= readAhead();
    ahead.catch(() => {});
  },
  go: () => {
    hasBegun = true;
    begin().catch(stop);
  },
};
createInterface({ input: process.stdin })
  .on("line", (line) => orders[line]?.())
  .once("close", () => {
    if (!hasBegun) breakOff();
  });
