import type { FastifyInstance, FastifyRequest } from "fastify";
import { EvenkeelError } from "../../platform/errors.js";
import { findStranger } from "../../policies/what-if/imagine.js";
import type { Foresight } from "../foresight.js";
import { foreseeAside } from "../foresight-thread.js";
import { API_BASE } from "../protocol.js";
import { authorize } from "./authorize.js";
import { type ApiParts, READ_AGE_SECONDS } from "./parts.js";
import { noQuery, noQueryHere, readInput, whatIfBody } from "./read-input.js";

/** What the policies see, and what they would make of a change. Nothing is changed, but playing a large fleet forward costs time, hence the token. */
export function addForesightRoutes(server: FastifyInstance, parts: ApiParts): void {
  server.get(`${API_BASE}/snapshot`, async (request) => {
    readInput(noQuery, request.query);
    const { snapshot } = await parts.view.picture(READ_AGE_SECONDS);
    return { snapshot, policies: parts.policies.current() };
  });

  const onRequest = async (request: FastifyRequest) => authorize(request, parts.config.scheduler.operatorToken);
  server.post(`${API_BASE}/what-if`, { onRequest, ...noQueryHere }, async (request): Promise<Foresight> => {
    const change = readInput(whatIfBody, request.body);
    const { snapshot } = await parts.view.picture(READ_AGE_SECONDS);
    const stranger = findStranger(snapshot, change);
    if (stranger !== null) throw new EvenkeelError("NODE_NOT_FOUND", stranger);
    return foreseeAside({ snapshot, config: parts.policies.current(), change });
  });
}
