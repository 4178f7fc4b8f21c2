/**
 * A small seeded generator (xorshift, 32 bits): the same seed gives the same numbers on every machine.
 * Good enough to choose moves with; not for anything secret.
 */
export class Random {
  private state: number;

  constructor(seed: number) {
    // A mixed seed: neighbouring seeds must not give neighbouring sequences, and the state must never be zero.
    let mixed = Math.imul(seed ^ (seed >>> 16), 0x45d9f3b);
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x45d9f3b);
    this.state = (mixed ^ (mixed >>> 16)) | 0 || 0x9e3779b9 | 0;
    for (let i = 0; i < 8; i++) this.next();
  }

  /** An unsigned 32-bit integer. */
  next(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return x >>> 0;
  }

  /** An integer in 0 … bound-1. */
  below(bound: number): number {
    return Math.floor(this.next() * 2.3283064365386963e-10 * bound);
  }

  /** A number in 0 … 1, without 1. */
  ratio(): number {
    return this.next() * 2.3283064365386963e-10;
  }
}
