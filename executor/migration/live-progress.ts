import type { Stage, StageProgress } from "../../platform/migration-record.js";

const TELL_INTERVAL_MILLISECONDS = 250;
/** Rates are of this long: rsync and the network come in bursts. */
const RATE_WINDOW_SECONDS = 3;
/** A rate over less says more of the burst than of the link. */
const SHORTEST_RATE_SECONDS = 0.2;

/** What is being sent now. */
export interface Expectation {
  readonly stage: Stage;
  /** The kind of `bytes` that grows. */
  readonly kind: string;
  /** Null = not known. */
  readonly totalBytes?: number | null;
  readonly round?: number;
  readonly dirtyBytesPerSecond?: number;
  readonly note?: string;
}

interface Point {
  readonly at: number;
  readonly doneBytes: number;
}

/** Watches the bytes that a migration has sent and tells the live views how far it is and how fast, now and then, when there is something new. */
export class LiveProgress {
  readonly #bytes: Readonly<Record<string, number>>;
  readonly #tell: (stage: Stage, progress: StageProgress) => void;
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;
  #expectation: Expectation | null = null;
  #begunAt = 0;
  #points: Point[] = [];
  #told = "";

  /** `bytes` is counted up by others; `now` gives seconds. */
  constructor(bytes: Readonly<Record<string, number>>, tell: (stage: Stage, progress: StageProgress) => void, now: () => number) {
    this.#bytes = bytes;
    this.#tell = tell;
    this.#now = now;
    this.#timer = setInterval(() => this.look(), TELL_INTERVAL_MILLISECONDS);
    this.#timer.unref();
  }

  /** From now on this is being sent; null = nothing. */
  expect(expectation: Expectation | null): void {
    this.#expectation = expectation;
    this.#begunAt = expectation === null ? 0 : this.#sent(expectation);
    this.#points = [];
    this.#told = "";
    this.look();
  }

  /** How much it is that is being sent now: found out while it is. */
  expectTotal(totalBytes: number): void {
    if (this.#expectation !== null) this.#expectation = { ...this.#expectation, totalBytes };
    this.look();
  }

  /** Tells what is new since the last look. */
  look(): void {
    if (this.#expectation === null) return;
    const progress = this.#measure(this.#expectation);
    const words = JSON.stringify(progress);
    if (words === this.#told) return;
    this.#told = words;
    this.#tell(this.#expectation.stage, progress);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#expectation = null;
  }

  #sent({ kind }: Expectation): number {
    return this.#bytes[kind] ?? 0;
  }

  #measure(expectation: Expectation): StageProgress {
    const { totalBytes = null, round, dirtyBytesPerSecond, note } = expectation;
    const at = this.#now();
    const doneBytes = this.#sent(expectation) - this.#begunAt;
    this.#points.push({ at, doneBytes });
    while (this.#points.length > 2 && at - this.#points[0]!.at > RATE_WINDOW_SECONDS) this.#points.shift();
    const first = this.#points[0]!;
    const seconds = at - first.at;
    const rate = seconds < SHORTEST_RATE_SECONDS ? null : (doneBytes - first.doneBytes) / seconds;
    return {
      doneBytes,
      ...(totalBytes === null ? {} : { totalBytes: Math.max(totalBytes, doneBytes) }),
      ...(rate === null ? {} : { bytesPerSecond: Math.round(rate) }),
      ...(dirtyBytesPerSecond === undefined ? {} : { dirtyBytesPerSecond }),
      ...(totalBytes === null || rate === null || rate <= 0 ? {} : { etaSeconds: Math.max(0, totalBytes - doneBytes) / rate }),
      ...(round === undefined ? {} : { round }),
      ...(note === undefined ? {} : { note }),
    };
  }
}
