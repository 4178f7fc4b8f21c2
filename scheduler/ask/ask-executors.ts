import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Answer, Asked, Question } from "../../executor/protocol.js";
import { nowSeconds } from "../../platform/clock.js";
import { EvenkeelError } from "../../platform/errors.js";
import type { Keys } from "../../platform/keys.js";

const POLL_MILLISECONDS = 100;
/** Questions that an absent executor has not taken are forgotten after this long, and never more than so many of them are kept. */
const QUESTION_SECONDS = 60;
const QUESTIONS_KEPT = 100;

export interface Addressed {
  readonly node: string;
  readonly question: Question;
}

/** An executor takes a question at once, however long it thinks about it: one that has not is not there. */
const UNHEARD_SECONDS = 5;

/**
 * Asks executors side by side. An answer is null when nobody took the question, or none came in time; an executor's own refusal is an
 * EvenkeelError.
 */
export async function askExecutors<T>(
  redis: Redis,
  keys: Keys,
  questions: readonly Addressed[],
  patienceSeconds: number,
): Promise<(T | EvenkeelError | null)[]> {
  if (questions.length === 0) return [];
  const begunAt = nowSeconds();
  const expiresAt = begunAt + patienceSeconds;
  const asked = questions.map(({ node, question }) => {
    const id = randomUUID();
    return { id, key: keys.questions(node), text: JSON.stringify({ id, expiresAt, question } satisfies Asked) };
  });
  const sending = redis.pipeline();
  for (const { key, text } of asked) sending.rpush(key, text).ltrim(key, -QUESTIONS_KEPT, -1).expire(key, QUESTION_SECONDS);
  await sending.exec();
  const answers = new Map<string, Answer>();
  let open = asked;
  let haveLooked = false;
  while (open.length > 0 && nowSeconds() < expiresAt) {
    await delay(POLL_MILLISECONDS);
    const texts = await redis.mget(open.map(({ id }) => keys.answer(id)));
    open.forEach(({ id }, index) => {
      const text = texts[index];
      if (text != null) answers.set(id, JSON.parse(text) as Answer);
    });
    open = open.filter(({ id }) => !answers.has(id));
    if (haveLooked || nowSeconds() < begunAt + UNHEARD_SECONDS) continue;
    haveLooked = true;
    const left = await Promise.all(open.map(({ key, text }) => redis.lrem(key, 1, text)));
    open = open.filter((_, index) => left[index] === 0);
  }
  return asked.map(({ id }) => {
    const answer = answers.get(id);
    if (answer === undefined) return null;
    return "error" in answer ? new EvenkeelError(answer.error.code, answer.error.detail) : (answer.value as T);
  });
}
