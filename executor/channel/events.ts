import { type ErrorCode, EvenkeelError } from "../../platform/errors.js";

interface Waiter {
  readonly words: readonly string[];
  resolve(event: Event): void;
  reject(error: unknown): void;
}

/** One line from a script: its first word and the rest. `at` is monotonic, in seconds. */
export interface Event {
  readonly word: string;
  readonly rest: string;
  readonly at: number;
}

export function monotonicSeconds(): number {
  return performance.now() / 1000;
}

/** Lines as they come from scripts, kept until somebody waits for them. */
export class EventQueue {
  readonly #seen: Event[] = [];
  readonly #waiters = new Set<Waiter>();
  #failure: unknown = null;

  push(line: string): void {
    const [word = "", ...rest] = line.trim().split(" ");
    const event = { word, rest: rest.join(" "), at: monotonicSeconds() };
    for (const waiter of this.#waiters) {
      if (waiter.words.includes(word)) {
        this.#waiters.delete(waiter);
        waiter.resolve(event);
        return;
      }
    }
    this.#seen.push(event);
  }

  /** Everyone who waits, now or later, gets this error. */
  fail(error: unknown): void {
    this.#failure ??= error;
    for (const waiter of this.#waiters) waiter.reject(this.#failure);
    this.#waiters.clear();
  }

  /** The next event whose first word is one of `words`. @throws what `fail` was given, or an error of this code after the deadline. */
  async next(words: readonly string[], deadlineSeconds: number, code: ErrorCode = "INTERNAL"): Promise<Event> {
    const index = this.#seen.findIndex((event) => words.includes(event.word));
    if (index >= 0) return this.#seen.splice(index, 1)[0]!;
    if (this.#failure !== null) throw this.#failure;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(new EvenkeelError(code, `no ${words.join(" or ")} within ${deadlineSeconds} s`));
      }, deadlineSeconds * 1000);
      const waiter: Waiter = {
        words,
        resolve: (event) => {
          clearTimeout(timer);
          resolve(event);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      this.#waiters.add(waiter);
    });
  }
}
