/**
 * The frame of CRIU's page server (criu/page-xfer.c, struct page_server_iov since 4.2): u32 command, 4 bytes of padding, then as u64 the number
 * of pages, the address, and the process. A frame of pages is followed by them. We speak it on both hops: to CRIU's daemon, and between the nodes.
 */
export const FRAME_BYTES = 32;

export const COMMAND = {
  /** Pages follow; in the upper half the flag "present", as CRIU's own server says. */
  pages: 6 | (4 << 16),
  get: 7,
  close: 0x1023,
  forceClose: 0x1024,
  /** Ours, between the nodes: a sign of life, "every page has arrived", and how many bytes a second may be asked for that nobody waits for. */
  alive: 0x4501,
  done: 0x4502,
  pace: 0x4503,
  /** As `get` and `pages`, of no process: what comes is made up. */
  rehearse: 0x4504,
  rehearsed: 0x4505,
} as const;

/** Pages of a process (by its pid in the container) that lie side by side, the first at `address`. */
export interface PageSpan {
  readonly pid: number;
  readonly address: number;
  readonly pages: number;
}

export interface Frame extends PageSpan {
  readonly command: number;
}

export function encodeFrame({ command, pages, address, pid }: Frame): Buffer {
  const frame = Buffer.alloc(FRAME_BYTES);
  frame.writeUInt32LE(command, 0);
  frame.writeBigUInt64LE(BigInt(pages), 8);
  frame.writeBigUInt64LE(BigInt(address), 16);
  frame.writeBigUInt64LE(BigInt(pid), 24);
  return frame;
}

function decodeFrame(bytes: Buffer): Frame {
  const wide = (at: number) => Number(bytes.readBigUInt64LE(at));
  return { command: bytes.readUInt32LE(0), pages: wide(8), address: wide(16), pid: wide(24) };
}

export const ALIVE = encodeFrame({ command: COMMAND.alive, pages: 0, address: 0, pid: 0 });
export const DONE = encodeFrame({ command: COMMAND.done, pages: 0, address: 0, pid: 0 });

/** Null: as fast as the link takes them. */
export function encodePace(bytesPerSecond: number | null): Buffer {
  const whole = bytesPerSecond === null ? 0 : Math.max(1, Math.floor(bytesPerSecond));
  return encodeFrame({ command: COMMAND.pace, pages: whole, address: 0, pid: 0 });
}

export function paceOf({ pages }: Pick<Frame, "pages">): number | null {
  return pages === 0 ? null : pages;
}

/** Cuts a stream of bytes into frames; `bodyBytes` says how much follows one. Give it chunks as they come. */
export function makeFrameReader(
  bodyBytes: (frame: Frame) => number,
  onFrame: (frame: Frame, body: Buffer) => void,
): (chunk: Buffer) => void {
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let frame: Frame | null = null;
  let wanted = FRAME_BYTES;
  return (chunk) => {
    waiting.push(chunk);
    waitingBytes += chunk.length;
    while (waitingBytes >= wanted) {
      const all = waiting.length === 1 ? waiting[0]! : Buffer.concat(waiting);
      const piece = all.subarray(0, wanted);
      const rest = all.subarray(wanted);
      waiting = rest.length > 0 ? [rest] : [];
      waitingBytes = rest.length;
      if (frame === null) {
        const read = decodeFrame(piece);
        const body = bodyBytes(read);
        if (body === 0) onFrame(read, Buffer.alloc(0));
        else [frame, wanted] = [read, body];
      } else {
        const whole = frame;
        [frame, wanted] = [null, FRAME_BYTES];
        onFrame(whole, piece);
      }
    }
  };
}
