import type { FastifyInstance, FastifyRequest } from "fastify";
import type { z } from "zod";
import { nowSeconds } from "../../platform/clock.js";
import { decide } from "../../policies/decide.js";
import type { Move, PowerChange } from "../../policies/types.js";
import { approvedUnder, carryOut, heldBack } from "../act/carry-out-plan.js";
import type { ApprovalAnswer } from "../api-shapes.js";
import { recordAudit } from "../audit.js";
import { publishNote } from "../notes.js";
import { API_BASE } from "../protocol.js";
import { authorize } from "./authorize.js";
import { termOrForward } from "./forward-to-leader.js";
import type { ApiParts } from "./parts.js";
import { approveBody, noQueryHere, readInput } from "./read-input.js";

type Wanted = Pick<PowerChange, "node" | "to">;

const keyOf = ({ workload, to }: Pick<Move, "workload" | "to">) => `${workload} ${to}`;

/** What a mode holds back and an operator wants done, all of it or one by one. Decided anew: what the operator saw may have been overtaken. */
export function addApproveRoutes(server: FastifyInstance, parts: ApiParts): void {
  const { redis, keys, view, policies, jobs, power } = parts;
  const onRequest = async (request: FastifyRequest) => authorize(request, parts.config.scheduler.operatorToken);

  const approve = async (asked: z.infer<typeof approveBody>, term: number): Promise<ApprovalAnswer> => {
    const isAll = asked.moves === undefined && asked.power === undefined;
    const picture = await view.picture(0);
    const now = picture.reading.at;
    const plan = decide(picture.snapshot, policies.current(), now);
    const restraint = approvedUnder({ windows: parts.windows.open(now) });
    const wantedMoves = isAll ? plan.moves : (asked.moves ?? []);
    const wantedKeys = new Set(wantedMoves.map(keyOf));
    const approved = plan.moves.filter((move) => wantedKeys.has(keyOf(move)) && heldBack(move, restraint) === null);
    const actor = { redis, keys, jobs, term };
    const begun = approved.map((move) => ({ ...move, approved: true }));
    const started = await carryOut(actor, picture, begun, parts.log);

    const startedKeys = new Set(started.map(({ move }) => keyOf(move)));
    const plannedBy = new Map(plan.moves.map((move) => [keyOf(move), move]));
    const whyNotMoved = (move: Move | undefined) =>
      move === undefined
        ? "it is no longer called for"
        : (heldBack(move, restraint) ?? "it is being moved already, or may not be moved now");

    const wantedPower: readonly Wanted[] = isAll ? plan.power : (asked.power ?? []);
    const find = (list: readonly PowerChange[], { node, to }: Wanted) => list.find((each) => each.node === node && each.to === to);
    const changes = wantedPower.flatMap((wanted) => find(plan.power, wanted) ?? []);
    const changed = await power.carryOut(
      actor,
      picture,
      changes.filter((change) => power.heldBack(change, restraint) === null).map((change) => ({ ...change, approved: true as const })),
    );
    const whyNot = (wanted: Wanted) => {
      const planned = find(plan.power, wanted);
      return planned === undefined ? "it is no longer called for" : (power.heldBack(planned, restraint) ?? "it is being seen to already");
    };

    const slept = changed.length === 0 ? "" : `; power of ${changed.map(({ node }) => node).join(", ")} changed`;
    await recordAudit(
      redis,
      keys,
      { at: nowSeconds(), kind: "plan-approved", actor: "operator", detail: `${started.length} moves started${slept}` },
      0,
    );
    return {
      started: started.map(({ id }) => id),
      moves: started.map(({ id, move: { workload, to, because } }) => ({ id, workload, to, because })),
      dropped: wantedMoves
        .filter((wanted) => !startedKeys.has(keyOf(wanted)))
        .map((wanted) => ({ workload: wanted.workload, to: wanted.to, because: whyNotMoved(plannedBy.get(keyOf(wanted))) })),
      power: changed.map(({ node, to }) => ({ node, to })),
      powerDropped: wantedPower.flatMap(({ node, to }) =>
        find(changed, { node, to }) === undefined ? [{ node, to, because: whyNot({ node, to }) }] : [],
      ),
    };
  };

  server.post(`${API_BASE}/plan/approve`, { onRequest, ...noQueryHere }, async (request, reply) => {
    const asked = readInput(approveBody, request.body);
    const term = await termOrForward(parts, request, reply);
    if (term === null) return reply;
    const answer = await parts.inTurn(() => approve(asked, term));
    await publishNote(redis, keys, { kind: "plan" });
    return reply.code(201).send(answer);
  });
}
