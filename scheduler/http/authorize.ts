import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { EvenkeelError } from "../../platform/errors.js";

/** @throws UNAUTHORIZED unless the request carries the operators' token. Without a configured token nothing may be changed. */
export function authorize(request: FastifyRequest, operatorToken: string | undefined): void {
  if (operatorToken === undefined) {
    throw new EvenkeelError("UNAUTHORIZED", "this scheduler has no scheduler.operatorToken, so it refuses every change");
  }
  const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1];
  if (given === undefined) throw new EvenkeelError("UNAUTHORIZED", "the request carries no bearer token");
  // Digests have one length, so the comparison tells nothing of the token's.
  const digest = (text: string) => createHash("sha256").update(text).digest();
  if (!timingSafeEqual(digest(given), digest(operatorToken))) throw new EvenkeelError("UNAUTHORIZED", "the bearer token is wrong");
}
