import { openSync, readSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { connect, type TLSSocket } from "node:tls";
import { collectGarbageNow } from "../../platform/collect-garbage.js";
import { breakOff } from "../../platform/leave.js";
import { readTls } from "../../platform/tls.js";
import { COMMAND, encodeFrame, encodePace, FRAME_BYTES, type Frame, makeFrameReader } from "./page-wire.js";
import { PAGE_BYTES } from "./pagemap-image.js";
import { PACE_FILE, type PageSourceOrders, pagesProtocol } from "./pages-protocol.js";
import { takePrecedence } from "./precedence.js";

/**
 * `page-source.js FOLDER ORDERS`: gives the memory of a frozen workload to the node that has committed it, read straight from
 * /proc/<pid>/mem. A process of its own, so that pages go on flowing while the executor is away; and one without a memory of its own: nothing is
 * lost when it dies or its link is cut, for the workload is still frozen, and the destination asks again. On stdin comes one line, pids in the
 * container to pids here; before it, the end of stdin ends the program. The pace is read from a file, which executors renew. Ends when the destination says that every
 * page has arrived.
 */
const [folder, words = ""] = process.argv.slice(2);
const { host, port, node, migration, tls } = JSON.parse(words) as PageSourceOrders;
const QUIET_SECONDS = 2;
const RETRY_SECONDS = 0.2;
const ZEROS = "/dev/zero";
const MOST_REHEARSED_PAGES = 32;

const files = new Map<string, number>();
let begin: (pids: Readonly<Record<string, number>>) => void = () => {};
const pids = new Promise<Readonly<Record<string, number>>>((resolve) => {
  begin = resolve;
});

process.stdout.on("error", () => {});
const lines = createInterface({ input: process.stdin });
lines.once("close", breakOff);
lines.once("line", (line) => {
  lines.off("close", breakOff);
  begin(JSON.parse(line) as Readonly<Record<string, number>>);
});

/** The answer to a request: its frame and the pages, in one buffer. */
async function readPages(frame: Frame): Promise<Buffer> {
  const { pid } = frame;
  const here = (await pids)[pid];
  if (here === undefined) throw new Error(`the workload has no process ${pid}`);
  return readFrom(`/proc/${here}/mem`, { ...frame, command: COMMAND.pages });
}

/** Without giving way: the kernel copies them in no time, and a thread elsewhere may stand still for them. */
function readFrom(path: string, answered: Frame): Buffer {
  const { address, pages } = answered;
  const file = files.get(path) ?? openSync(path, "r");
  files.set(path, file);
  const bytes = pages * PAGE_BYTES;
  const answer = Buffer.allocUnsafe(FRAME_BYTES + bytes);
  encodeFrame(answered).copy(answer);
  for (let done = 0; done < bytes; ) {
    const count = readSync(file, answer, FRAME_BYTES + done, bytes - done, address + done);
    if (count === 0) throw new Error(`${path} has nothing at 0x${(address + done).toString(16)}`);
    done += count;
  }
  return answer;
}

async function serve(socket: TLSSocket): Promise<void> {
  let answers: Promise<unknown> = Promise.resolve();
  let heard = performance.now();
  const answer = async (frame: Frame) => {
    socket.write(await readPages(frame));
    // Reading from swap takes its time, and whoever asked for it was there.
    heard = performance.now();
    await new Promise(setImmediate);
  };
  const makeUp = async (frame: Frame) => void socket.write(readFrom(ZEROS, { ...frame, command: COMMAND.rehearsed }));
  const read = makeFrameReader(
    () => 0,
    (frame) => {
      if (frame.command === COMMAND.done) breakOff();
      // In vain, should it fail: that is no page of the workload.
      if (frame.command === COMMAND.rehearse && frame.pages <= MOST_REHEARSED_PAGES) makeUp(frame).catch(() => {});
      if (frame.command !== COMMAND.get) return;
      // The proxy asks for the first block by itself, before there is any restore.
      if (++requests > 1) noteRequest();
      // The memory of a frozen process that cannot be read is gone: the executor looks after that, and the destination must get nothing else.
      answers = answers.then(() => answer(frame)).catch(breakOff);
    },
  );
  // Whoever asks may keep to what he was told over an earlier connection.
  let told: number | null | undefined;
  /** It is the destination that asks: the pace is kept there. */
  const tellPace = async () => {
    const bytesPerSecond = Number(await readFile(`${folder}/${PACE_FILE}`, "utf8").catch(() => "")) || null;
    if (bytesPerSecond === told || socket.destroyed) return;
    told = bytesPerSecond;
    socket.write(encodePace(bytesPerSecond));
  };
  const watch = setInterval(() => {
    if (performance.now() - heard > QUIET_SECONDS * 1000) socket.destroy();
    void tellPace();
  }, 500);
  socket.on("data", (chunk: Buffer) => {
    heard = performance.now();
    read(chunk);
  });
  socket.on("error", () => {});
  socket.once("secureConnect", () => {
    socket.setNoDelay(true);
    void tellPace().then(() => process.stdout.write("connected\n"));
  });
  await new Promise((resolve) => socket.once("close", resolve));
  clearInterval(watch);
}

let requests = 0;
const noteRequest = takePrecedence();
// With room for what is to come: among the first faults V8 should not mark what is alive.
collectGarbageNow();
for (;;) {
  await serve(connect({ host, port, servername: node, ALPNProtocols: [pagesProtocol(migration)], ...readTls(tls) }));
  await new Promise((resolve) => setTimeout(resolve, RETRY_SECONDS * 1000));
}
