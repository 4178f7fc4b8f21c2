import type { FastifyInstance, FastifyRequest } from "fastify";
import { nowSeconds } from "../../platform/clock.js";
import type { PauseAnswer } from "../api-shapes.js";
import { recordAudit } from "../audit.js";
import { publishNote } from "../notes.js";
import { API_BASE } from "../protocol.js";
import { authorize } from "./authorize.js";
import type { ApiParts } from "./parts.js";
import { flagBody, noQueryHere, nothingHere, readInput } from "./read-input.js";

/** The fleet's pause, one key that `redis-cli` may set as well. Any scheduler may write it, and all obey it. */
export function addPauseRoutes(server: FastifyInstance, parts: ApiParts): void {
  const { redis, keys, view, ticker } = parts;
  const onRequest = async (request: FastifyRequest) => authorize(request, parts.config.scheduler.operatorToken);
  const answer = async (kind: string, detail: string): Promise<PauseAnswer> => {
    await recordAudit(redis, keys, { at: nowSeconds(), kind, actor: "operator", detail }, 0);
    await publishNote(redis, keys, { kind: "pause" });
    ticker.wake();
    return { pause: (await view.picture(0)).pause };
  };

  server.put(`${API_BASE}/pause`, { onRequest, ...noQueryHere }, async (request): Promise<PauseAnswer> => {
    const { reason = "operator" } = readInput(flagBody, request.body);
    // Anew each time: what was approved before is held back by the newest.
    await redis.set(keys.pause, JSON.stringify({ since: nowSeconds(), reason }));
    return answer("paused", reason);
  });

  server.delete(`${API_BASE}/pause`, { onRequest, ...nothingHere }, async (): Promise<PauseAnswer> => {
    const removed = await redis.del(keys.pause);
    return answer("resumed", removed === 1 ? "the pause is over" : "there was no pause");
  });
}
