import type { Redis } from "ioredis";
import { nowSeconds } from "../platform/clock.js";
import { asEvenkeelError } from "../platform/errors.js";
import type { Keys } from "../platform/keys.js";
import type { Logger } from "../platform/log.js";
import { ANSWER_SECONDS, type Answer, type Asked, askedSchema, type Question } from "./protocol.js";

const WAIT_SECONDS = 5;
const RETRY_MILLISECONDS = 1000;

interface Needs {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly node: string;
  readonly log: Logger;
}

/**
 * Answers what a scheduler asks of this node, as it comes. A question whose asker has given up is dropped, so one that waited out a restart does
 * no harm; none of them changes anything.
 */
export function answerQuestions({ redis, keys, node, log }: Needs, answer: (question: Question) => Promise<unknown>): { close(): void } {
  // A blocking read holds up all else on its connection.
  const waiting = redis.duplicate();
  waiting.on("error", () => {});
  let closed = false;

  const respond = async ({ id, question }: Asked) => {
    const reply: Answer = await answer(question).then(
      (value) => ({ value }),
      (error: unknown) => {
        const { code, detail } = asEvenkeelError(error);
        log.warn({ question: question.kind, code, detail }, "could not be answered");
        return { error: { code, detail } };
      },
    );
    await redis.set(keys.answer(id), JSON.stringify(reply), "EX", ANSWER_SECONDS);
  };
  const listen = async () => {
    while (!closed) {
      const found = await waiting.blpop(keys.questions(node), WAIT_SECONDS).catch(async (error: unknown) => {
        if (closed) return null;
        log.warn({ error: String(error) }, "cannot hear questions");
        await new Promise((resolve) => setTimeout(resolve, RETRY_MILLISECONDS));
        return null;
      });
      if (found === null) continue;
      const asked = askedSchema.safeParse(parse(found[1]));
      if (!asked.success) log.warn({ text: found[1].slice(0, 200) }, "a question that nobody understands");
      else if (asked.data.expiresAt > nowSeconds())
        respond(asked.data).catch((error: unknown) => log.warn({ error: String(error) }, "an answer was lost"));
    }
  };
  void listen();
  return {
    close: () => {
      closed = true;
      waiting.disconnect();
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
