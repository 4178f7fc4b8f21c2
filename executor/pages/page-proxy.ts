import { renameSync, writeFileSync } from "node:fs";
import { createServer, type TLSSocket } from "node:tls";
import { collectGarbageNow } from "../../platform/collect-garbage.js";
import { breakOff } from "../../platform/leave.js";
import { readTls } from "../../platform/tls.js";
import { endWorkload } from "./end-workload.js";
import { prepareLazyDaemon, serveLazyDaemon } from "./lazy-daemon.js";
import { cutIntoBlocks } from "./page-blocks.js";
import { makePageBroker, type PageBroker } from "./page-broker.js";
import { ALIVE, COMMAND, DONE, encodeFrame, makeFrameReader, paceOf } from "./page-wire.js";
import { PAGE_BYTES, readLeftRanges } from "./pagemap-image.js";
import { PAGE_PORTS, type PageProxyOrders, type PagesState, pagesProtocol } from "./pages-protocol.js";
import { takePrecedence } from "./precedence.js";
import { rehearse } from "./rehearsal.js";

/**
 * `page-proxy.js FOLDER ORDERS`: stands between CRIU's lazy-pages daemon and the node that still has the memory. A process of its
 * own, with the daemon as its child, so that pages go on flowing while the executor is away. Prints `port N`; waits for a line on stdin (the images
 * are here; the end of stdin ends the program), then prints `ready`. Ends when the daemon has filled in every page.
 * A daemon that ends by itself in any other way ends the workload.
 */
const [folder, words] = process.argv.slice(2) as [string, string];
const { node, migration, firstPort, tls } = JSON.parse(words) as PageProxyOrders;
const TICK_MILLISECONDS = 500;

// Where root may: the kernel's killer of processes should look elsewhere first. The children inherit it.
try {
  writeFileSync("/proc/self/oom_score_adj", "-900");
} catch {
  // Not in every container of a lab.
}
const lazy = prepareLazyDaemon(folder);
// Not before the daemon is made, which never sleeps and would take all of a core.
const noteRequest = takePrecedence();
// With room for what is to come: among the first faults V8 should not mark what is alive.
collectGarbageNow();

let source: TLSSocket | null = null;
let broker: PageBroker | null = null;
let bytesPerSecond: number | null = null;
let hasBegun = false;
let progress: PagesState = { state: "waiting", port: 0, doneBytes: 0, totalBytes: 0 };

process.stdout.on("error", () => {});

function note(change: Partial<PagesState>): void {
  progress = { ...progress, ...change };
  writeFileSync(`${folder}/pages.json.new`, JSON.stringify(progress), { mode: 0o600 });
  renameSync(`${folder}/pages.json.new`, `${folder}/pages.json`);
}

function endChildren(): void {
  lazy.daemon.kill("SIGKILL");
  lazy.hold.kill("SIGKILL");
}

/** A copy that would go on with zeros for its memory must not: it is ended, as if its program had crashed. */
function failStop(why: string): never {
  endWorkload(folder);
  try {
    process.stderr.write(`${why}\n`);
    note({ state: "lost" });
  } finally {
    // A proxy that is gone is taken for lost memory too.
    endChildren();
    breakOff();
  }
}

const stop = (error: unknown) => failStop(error instanceof Error ? error.message : String(error));
process.on("uncaughtException", stop);
process.on("unhandledRejection", stop);

const server = createServer({
  ...readTls(tls),
  requestCert: true,
  rejectUnauthorized: true,
  ALPNProtocols: [pagesProtocol(migration)],
});
server.on("secureConnection", (socket) => {
  const name = socket.getPeerCertificate().subject?.CN;
  if (name !== node) return void socket.destroy();
  source?.destroy();
  source = socket;
  socket.setNoDelay(true);
  socket.on("error", () => {});
  socket.once("close", () => {
    if (source === socket) source = null;
  });
  const rehearsal = hasBegun
    ? null
    : rehearse(
        (frame) => socket.write(frame),
        () => hasBegun || socket.destroyed,
      );
  const read = makeFrameReader(
    ({ command, pages }) => (command === COMMAND.pages || command === COMMAND.rehearsed ? pages * PAGE_BYTES : 0),
    (frame, body) => {
      if (frame.command === COMMAND.pages) broker?.arrived(frame, body);
      if (frame.command === COMMAND.rehearsed && !hasBegun) rehearsal?.arrived(frame, body);
      if (frame.command !== COMMAND.pace) return;
      bytesPerSecond = paceOf(frame);
      broker?.keepTo(bytesPerSecond);
    },
  );
  socket.on("data", read);
  socket.write(ALIVE);
  broker?.connected();
});
setInterval(() => {
  source?.write(ALIVE);
  if (broker === null) return;
  try {
    note({ doneBytes: broker.doneBytes() });
  } catch (error) {
    // Only the views miss it: no reason to end a workload.
    process.stderr.write(`progress not noted: ${String(error)}\n`);
  }
}, TICK_MILLISECONDS);

async function begin(): Promise<void> {
  hasBegun = true;
  const [ranges] = await Promise.all([readLeftRanges(`${folder}/images`), lazy.begin()]);
  const blocks = cutIntoBlocks(ranges);
  let waking: NodeJS.Timeout | undefined;
  broker = makePageBroker(blocks, {
    ask: (block) => {
      source?.write(encodeFrame({ ...block, command: COMMAND.get }));
      return source !== null;
    },
    wake: (seconds) => {
      clearTimeout(waking);
      waking = setTimeout(() => broker!.look(), seconds * 1000);
    },
    seconds: () => performance.now() / 1000,
  });
  broker.keepTo(bytesPerSecond);
  const { request } = broker;
  const served = serveLazyDaemon(lazy, ranges, (wanted, answer) => {
    noteRequest();
    request(wanted, answer);
  });
  note({ state: "flowing", totalBytes: blocks.totalBytes });
  if (source !== null) broker.connected();
  process.stdout.write("ready\n");
  await served;
  endChildren();
  note({ state: "done", doneBytes: broker.doneBytes() });
  if (source === null) breakOff();
  source.end(DONE, breakOff);
}

async function listen(): Promise<number> {
  for (let port = firstPort; port < firstPort + PAGE_PORTS; port++) {
    const free = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "0.0.0.0", () => resolve(true));
    });
    if (free) return port;
  }
  throw new Error(`none of the ${PAGE_PORTS} ports from ${firstPort} on is free`);
}

note({ port: await listen() });
process.stdin.once("end", breakOff);
process.stdin.once("data", () => {
  process.stdin.removeAllListeners("end");
  begin().catch(stop);
});
process.stdout.write(`port ${progress.port}\n`);
