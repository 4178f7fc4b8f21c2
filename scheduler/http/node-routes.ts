import type { FastifyInstance, FastifyRequest } from "fastify";
import { nowSeconds } from "../../platform/clock.js";
import { EvenkeelError } from "../../platform/errors.js";
import { redisAheadSeconds } from "../../platform/redis.js";
import { forgetJobs, forgetNode } from "../act/forget.js";
import { settleLostSources } from "../act/settle-lost.js";
import type { ForgetAnswer, MaintenanceAnswer } from "../api-shapes.js";
import { recordAudit } from "../audit.js";
import { reportDrain } from "../fleet/drain-report.js";
import { askHome, workloadsToBringHome } from "../fleet/homecomings.js";
import { publishNote } from "../notes.js";
import { API_BASE } from "../protocol.js";
import { authorize } from "./authorize.js";
import type { ApiParts } from "./parts.js";
import { maintenanceBody, noBodyHere, nodeParams, noQueryHere, nothingHere, readInput, undrainQuery } from "./read-input.js";

/** The flag for maintenance and the cordon, each one hash field that `redis-cli` may set as well, and the end of nodes. Any scheduler may write these. */
export function addNodeRoutes(server: FastifyInstance, parts: ApiParts): void {
  const { redis, keys, view, policies, ticker } = parts;
  const onRequest = async (request: FastifyRequest) => authorize(request, parts.config.scheduler.operatorToken);

  const assertNode = async (id: string) => {
    if ((await redis.zscore(keys.nodes, id)) === null) throw new EvenkeelError("NODE_NOT_FOUND", id);
  };
  const answer = async (id: string): Promise<MaintenanceAnswer> => {
    await publishNote(redis, keys, { kind: "maintenance", node: id });
    ticker.wake();
    const picture = await view.picture(0);
    const drain = reportDrain(picture, id, policies.current());
    if (drain === null) throw new EvenkeelError("NODE_NOT_FOUND", id);
    const cordon = picture.cordons.get(id) ?? [];
    return { drain, comingHome: [], stillAskedForBy: drain.requests.filter(({ source }) => source !== "flag"), cordon };
  };

  server.put(`${API_BASE}/nodes/:id/maintenance`, { onRequest, ...noQueryHere }, async (request): Promise<MaintenanceAnswer> => {
    const { id } = readInput(nodeParams, request.params);
    const { deadlineSeconds, reason = "operator" } = readInput(maintenanceBody, request.body);
    await assertNode(id);
    const now = nowSeconds();
    const standing = reportDrain(await view.picture(0), id, policies.current())?.requests.find(({ source }) => source === "flag");
    // Asked again while it stands: the drain goes on from where it began, under the new deadline and reason, and is proven anew.
    const since = standing?.since ?? now;
    const deadline = deadlineSeconds === undefined ? null : now + deadlineSeconds;
    // Readings are judged by it, and those are dated by nodes, whose clocks are compared with Redis'.
    const askedAt = now + (await redisAheadSeconds(redis));
    await redis.hset(keys.maintenance, id, JSON.stringify({ since, askedAt, deadline, reason }));
    const detail = deadlineSeconds === undefined ? reason : `${reason}, within ${deadlineSeconds} s`;
    await recordAudit(redis, keys, { at: now, kind: "maintenance-on", actor: "operator", node: id, detail }, 0);
    return answer(id);
  });

  server.delete(`${API_BASE}/nodes/:id/maintenance`, { onRequest, ...noBodyHere }, async (request): Promise<MaintenanceAnswer> => {
    const { id } = readInput(nodeParams, request.params);
    const { bringHome } = readInput(undrainQuery, request.query);
    await assertNode(id);
    const comingHome = bringHome ? workloadsToBringHome(await view.picture(0), id) : [];
    if (comingHome.length > 0) await askHome(redis, keys, id, comingHome, nowSeconds());
    const removed = await redis.hdel(keys.maintenance, id);
    const home = comingHome.length === 0 ? "" : `; ${comingHome.length} workloads come home`;
    const detail = `${removed === 1 ? "flag lifted" : "there was no flag"}${home}`;
    await recordAudit(redis, keys, { at: nowSeconds(), kind: "maintenance-off", actor: "operator", node: id, detail }, 0);
    return { ...(await answer(id)), comingHome };
  });

  server.delete(`${API_BASE}/nodes/:id`, { onRequest, ...nothingHere }, async (request): Promise<ForgetAnswer> => {
    const { id } = readInput(nodeParams, request.params);
    await forgetNode(redis, keys, id);
    const settled = await settleLostSources({ redis, keys, term: 0 }, (node) => node !== id);
    await recordAudit(redis, keys, { at: nowSeconds(), kind: "node-forgotten", actor: "operator", node: id, detail: "asked for" }, 0);
    await publishNote(redis, keys, { kind: "maintenance", node: id });
    await forgetJobs(parts, id);
    return { forgotten: id, settled };
  });
}
