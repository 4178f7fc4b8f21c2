import type { FastifyInstance, FastifyRequest } from "fastify";
import { nowSeconds } from "../../platform/clock.js";
import { EvenkeelError } from "../../platform/errors.js";
import type { CordonAnswer } from "../api-shapes.js";
import { recordAudit } from "../audit.js";
import { publishNote } from "../notes.js";
import { API_BASE } from "../protocol.js";
import { authorize } from "./authorize.js";
import type { ApiParts } from "./parts.js";
import { flagBody, nodeParams, noQueryHere, nothingHere, readInput } from "./read-input.js";

/** The cordon, one hash field that `redis-cli` may set as well. Any scheduler may write it. */
export function addCordonRoutes(server: FastifyInstance, parts: ApiParts): void {
  const { redis, keys, view, ticker } = parts;
  const onRequest = async (request: FastifyRequest) => authorize(request, parts.config.scheduler.operatorToken);
  const note = async (node: string, kind: string, detail: string) => {
    await recordAudit(redis, keys, { at: nowSeconds(), kind, actor: "operator", node, detail }, 0);
    await publishNote(redis, keys, { kind: "cordon", node });
    ticker.wake();
  };
  const assertNode = async (id: string) => {
    if ((await redis.zscore(keys.nodes, id)) === null) throw new EvenkeelError("NODE_NOT_FOUND", id);
  };
  const answer = async (id: string): Promise<CordonAnswer> => {
    const { cordons, requests } = await view.picture(0);
    const cordon = cordons.get(id) ?? [];
    return { node: id, cordon, stillAskedForBy: cordon.filter(({ source }) => source !== "flag"), maintenance: requests.get(id) ?? [] };
  };

  server.put(`${API_BASE}/nodes/:id/cordon`, { onRequest, ...noQueryHere }, async (request): Promise<CordonAnswer> => {
    const { id } = readInput(nodeParams, request.params);
    const { reason = "operator" } = readInput(flagBody, request.body);
    await assertNode(id);
    const standing = (await view.picture(0)).cordons.get(id)?.find(({ source }) => source === "flag");
    await redis.hset(keys.cordons, id, JSON.stringify({ since: standing?.since ?? nowSeconds(), reason }));
    await note(id, "cordon-on", reason);
    return answer(id);
  });

  server.delete(`${API_BASE}/nodes/:id/cordon`, { onRequest, ...nothingHere }, async (request): Promise<CordonAnswer> => {
    const { id } = readInput(nodeParams, request.params);
    await assertNode(id);
    const removed = await redis.hdel(keys.cordons, id);
    await note(id, "cordon-off", removed === 1 ? "cordon lifted" : "there was no cordon");
    return answer(id);
  });
}
