import { encodeMessage } from "./image-fields.js";
import { cutIntoBlocks } from "./page-blocks.js";
import { makePageBroker, type PageBroker } from "./page-broker.js";
import { COMMAND, encodeFrame, type Frame, makeFrameReader, type PageSpan } from "./page-wire.js";
import { PAGE_BYTES, type PageRange, parsePagemap, withEntries } from "./pagemap-image.js";

/** Of no process. */
const PID = 0;
const FIRST_ADDRESS = 0x7f0000000000;
/** Each crosses the link: 2 MB in all. */
const BLOCKS = 128;
const BLOCK_PAGES = 4;
/** Of every so many blocks one is asked for as what no thread waits for. */
const BACKGROUND_OF = 4;
/** On a slow link it stays with a part of it. Less than the time in which a broker sends nothing ahead. */
const MOST_SECONDS = 0.4;
/** As many as 4 GiB have, and how often they are read. */
const ENTRIES = 1024;
const READINGS = 4;

export interface Rehearsal {
  /** What the source has made up. */
  arrived(frame: Frame, body: Buffer): void;
}

/**
 * Goes through faults before there is any, on the link that will be used, with pages that the source makes up. A program's first steps are interpreted, some ten
 * times slower than what has been compiled, and just these decide how long a workload's first answers take.
 * @param send takes a frame to the source; `isOver` says whether there is something else to do by now
 */
export function rehearse(send: (frame: Buffer) => void, isOver: () => boolean): Rehearsal {
  readImages();
  const endsAt = performance.now() + MOST_SECONDS * 1000;
  const ranges = Array.from({ length: BLOCKS }, (_, block) => range(2 * block * BLOCK_PAGES, BLOCK_PAGES));
  const questions = ranges.flatMap(questionsIn);
  let broker: PageBroker | null = null;
  const daemonAsks = makeFrameReader(
    () => 0,
    (frame) => broker?.request(frame, (given) => answer(frame, given)),
  );
  const goesOn = () => {
    if (performance.now() > endsAt || isOver()) broker = null;
    return broker !== null;
  };
  const ask = () => {
    const question = questions.shift();
    if (question === undefined || !goesOn()) {
      broker = null;
      return;
    }
    daemonAsks(encodeFrame({ ...question, address: question.start, command: COMMAND.get }));
    // It is answered when a fault comes after it.
    if (question.pages > 1) setImmediate(ask);
  };
  const answer = (wanted: PageSpan, given: PageSpan) => {
    encodeFrame({ ...given, command: COMMAND.pages });
    if (wanted.pages === 1) setImmediate(ask);
  };
  broker = makePageBroker(cutIntoBlocks(ranges), {
    ask: (block) => {
      send(encodeFrame({ ...block, command: COMMAND.rehearse }));
      return true;
    },
    wake: () => {},
    seconds: () => performance.now() / 1000,
  });
  setImmediate(ask);
  return {
    arrived: (frame, body) => {
      if (goesOn()) broker?.arrived(frame, body);
    },
  };
}

function questionsIn({ start, pages }: PageRange, block: number): PageRange[] {
  const step = block % BACKGROUND_OF === 0 ? 2 : 1;
  return Array.from({ length: pages / step }, (_, at) => ({ pid: PID, start: start + at * step * PAGE_BYTES, pages: step }));
}

function readImages(): void {
  const empty = parsePagemap(Buffer.concat([Buffer.alloc(8), encodeMessage([[1, 1]])]), PID);
  const entries = Array.from({ length: ENTRIES }, (_, at) => ({ ...range(2 * at, 1), where: "left", isLazy: true }) as const);
  const image = withEntries(empty, entries);
  for (let reading = 0; reading < READINGS; reading++) cutIntoBlocks(parsePagemap(image, PID).entries);
}

const range = (page: number, pages: number): PageRange => ({ pid: PID, start: FIRST_ADDRESS + page * PAGE_BYTES, pages });
