import type { FastifyReply, FastifyRequest } from "fastify";
import { EvenkeelError } from "../../platform/errors.js";
import { readLeader } from "../lease.js";
import type { ApiParts } from "./parts.js";

const FORWARDED = "x-evenkeel-forwarded";
const TIMEOUT_MILLISECONDS = 10_000;

/**
 * Gives the term under which this scheduler may answer itself. When another leads, hands the request over to it and returns null: the
 * reply has been sent. Forwards once only, so that two schedulers that take each other for the leader cannot play ping-pong.
 * @throws NOT_LEADER when there is no leader to be reached.
 */
export async function termOrForward(parts: ApiParts, request: FastifyRequest, reply: FastifyReply): Promise<number | null> {
  const term = parts.leadership.term();
  if (term !== null) return term;
  const leader = await readLeader(parts.redis, parts.keys);
  if (leader.url === null || request.headers[FORWARDED] !== undefined) {
    throw new EvenkeelError("NOT_LEADER", leader.url === null ? "nobody leads at this moment" : `${leader.url} leads`);
  }
  let answer: Response;
  try {
    answer = await fetch(new URL(request.url, leader.url), {
      method: request.method,
      headers: { "content-type": "application/json", authorization: request.headers.authorization ?? "", [FORWARDED]: "1" },
      body: JSON.stringify(request.body ?? {}),
      signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
    });
  } catch (error) {
    throw new EvenkeelError("NOT_LEADER", `${leader.url} leads, but does not answer`, { cause: error });
  }
  await reply
    .code(answer.status)
    .type("application/json")
    .send(await answer.text());
  return null;
}
