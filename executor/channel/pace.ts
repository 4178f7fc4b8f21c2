import { Transform } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";

/** What may be sent at once after a silence, in seconds of the rate: short, for switches drop longer bursts. */
const BURST_SECONDS = 0.05;
const PIECE_BYTES = 64 << 10;
const DEBT_SECONDS = 1;

/** A share of a link: so many bytes a second, for all streams that draw on it together. `freeAt` is in seconds. */
export interface Pace {
  readonly bytesPerSecond: number;
  freeAt: number;
}

/** Books bytes that are to be sent at `now`. Returns the seconds to wait before. */
export function book(pace: Pace, bytes: number, now: number): number {
  const begin = Math.max(pace.freeAt, now - BURST_SECONDS);
  pace.freeAt = begin + bytes / pace.bytesPerSecond;
  return Math.max(0, begin - now);
}

/** Books bytes that have left already. What comes after them makes way, but not for longer than that, however many they were. */
export function bookSent(pace: Pace, bytes: number, now: number): void {
  const before = pace.freeAt;
  book(pace, bytes, now);
  pace.freeAt = Math.max(before, Math.min(pace.freeAt, now + DEBT_SECONDS));
}

/** Lets bytes through at the pace, or at once where there is none, and says how many. */
export function paced(pace: Pace | null, onBytes: (bytes: number) => void): Transform {
  return new Transform({
    async transform(chunk: Buffer, _encoding, done) {
      try {
        for (let at = 0; at < chunk.length; at += pace === null ? chunk.length : PIECE_BYTES) {
          const piece = pace === null ? chunk : chunk.subarray(at, at + PIECE_BYTES);
          const waitSeconds = pace === null ? 0 : book(pace, piece.length, performance.now() / 1000);
          if (waitSeconds > 0) await delay(waitSeconds * 1000);
          onBytes(piece.length);
          this.push(piece);
        }
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
}
