import type { ClientReport, Gap, GapAnswer, Loss } from "./report.js";

/** Waits over this are kept one by one; of shorter ones only the longest of each second. */
const LONG_GAP_SECONDS = 0.1;
const LONG_GAPS_KEPT = 1000;
const SECONDS_KEPT = 4 * 3600;
const LOSSES_KEPT = 100;
const WRONG_ANSWERS_DESCRIBED = 5;

/** What one client has seen. All times are epoch seconds, given by the caller. */
export class Observed {
  readonly #workload: string;
  readonly #gaps: Gap[] = [];
  readonly #losses: Loss[] = [];
  readonly #firstWrongAnswers: string[] = [];
  /** Whole epoch second in which an answer came -> longest wait for an answer then. */
  readonly #longestBySecond = new Map<number, number>();
  #requests = 0;
  #wrongAnswers = 0;
  #resets = 0;
  #connectedAt: number | null = null;
  #localPort: number | null = null;
  #kept = true;
  #longestGapSeconds = 0;
  #waitingSince: number | null = null;

  constructor(workload: string) {
    this.#workload = workload;
  }

  opened(at: number, localPort: number): void {
    if (this.#connectedAt !== null) this.#kept = false;
    this.#connectedAt ??= at;
    this.#localPort = localPort;
  }

  /** A wait that began before a connection was lost goes on. */
  asked(at: number): void {
    this.#waitingSince ??= at;
  }

  answered(at: number, faults: readonly string[]): void {
    const from = this.#waitingSince ?? at;
    const seconds = at - from;
    this.#waitingSince = null;
    this.#requests += 1;
    this.#longestGapSeconds = Math.max(this.#longestGapSeconds, seconds);
    const second = Math.floor(at);
    this.#longestBySecond.set(second, Math.max(this.#longestBySecond.get(second) ?? 0, seconds));
    if (this.#longestBySecond.size > SECONDS_KEPT) this.#longestBySecond.delete(this.#longestBySecond.keys().next().value!);
    if (seconds > LONG_GAP_SECONDS) keepNewest(this.#gaps, { from, to: at, seconds }, LONG_GAPS_KEPT);
    if (faults.length > 0) this.wrong(faults);
  }

  wrong(faults: readonly string[]): void {
    this.#wrongAnswers += 1;
    if (this.#firstWrongAnswers.length < WRONG_ANSWERS_DESCRIBED) this.#firstWrongAnswers.push(faults.join("; "));
  }

  /** `byPeer` is false when this side gave the connection up because an answer was broken. */
  lost(at: number, because: string, byPeer: boolean): void {
    if (byPeer) this.#resets += 1;
    this.#kept = false;
    keepNewest(this.#losses, { at, because }, LOSSES_KEPT);
  }

  /** The longest wait that overlaps [since, until], an open one included, and whether no connection was lost in it. */
  gapsBetween(since: number, until: number, now: number): GapAnswer {
    let longest = 0;
    for (const gap of this.#gaps) if (gap.to >= since && gap.from <= until) longest = Math.max(longest, gap.seconds);
    for (const [second, seconds] of this.#longestBySecond) {
      // A long gap is listed by itself, with exact ends: it must not count for the rest of its second.
      if (seconds <= LONG_GAP_SECONDS && second + 1 >= since && second <= until) longest = Math.max(longest, seconds);
    }
    if (this.#waitingSince !== null && this.#waitingSince <= until && now >= since) longest = Math.max(longest, now - this.#waitingSince);
    return { longestGapSeconds: longest, connectionKept: !this.#losses.some(({ at }) => at >= since && at <= until) };
  }

  report(now: number): ClientReport {
    const waitingSeconds = this.#waitingSince === null ? 0 : now - this.#waitingSince;
    return {
      workload: this.#workload,
      requests: this.#requests,
      wrongAnswers: this.#wrongAnswers,
      firstWrongAnswers: [...this.#firstWrongAnswers],
      resets: this.#resets,
      lastLosses: [...this.#losses],
      connectionKept: this.#connectedAt !== null && this.#kept,
      connectedAt: this.#connectedAt,
      localPort: this.#localPort,
      longestGapSeconds: Math.max(this.#longestGapSeconds, waitingSeconds),
      waitingSeconds,
      gaps: [...this.#gaps],
    };
  }
}

function keepNewest<T>(list: T[], item: T, most: number): void {
  list.push(item);
  if (list.length > most) list.shift();
}
