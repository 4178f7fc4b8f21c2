import type { FastifyInstance, FastifyRequest } from "fastify";
import type { PreflightReport } from "../../executor/protocol.js";
import { EvenkeelError } from "../../platform/errors.js";
import { blockersAmong, finding } from "../../platform/findings.js";
import { canMove } from "../../policies/can-move.js";
import type { DoctorAnswer, PreflightAnswer } from "../api-shapes.js";
import { askExecutors } from "../ask/ask-executors.js";
import { examineFleet } from "../ask/examine-fleet.js";
import { API_BASE } from "../protocol.js";
import { authorize } from "./authorize.js";
import { findWorkload } from "./find-workload.js";
import { type ApiParts, READ_AGE_SECONDS } from "./parts.js";
import { doctorBody, noQueryHere, preflightBody, readInput } from "./read-input.js";

const PATIENCE_SECONDS = 30;

/** What stands in the way of moves. Nothing is changed, but nodes are put to work, hence the token. Any scheduler answers. */
export function addDoctorRoutes(server: FastifyInstance, parts: ApiParts): void {
  const { redis, keys, view, policies } = parts;
  const onRequest = async (request: FastifyRequest) => authorize(request, parts.config.scheduler.operatorToken);

  server.post(`${API_BASE}/doctor`, { onRequest, ...noQueryHere }, async (request): Promise<DoctorAnswer> => {
    const { nodes: wanted } = readInput(doctorBody, request.body);
    const { reading } = await view.picture(READ_AGE_SECONDS);
    const stranger = (wanted ?? []).find((id) => !reading.nodes.some((node) => node.id === id));
    if (stranger !== undefined) throw new EvenkeelError("NODE_NOT_FOUND", stranger);
    return examineFleet(
      redis,
      keys,
      reading.nodes.filter(({ id }) => wanted === undefined || wanted.includes(id)),
    );
  });

  server.post(`${API_BASE}/preflight`, { onRequest, ...noQueryHere }, async (request): Promise<PreflightAnswer> => {
    const { workload: wanted, to } = readInput(preflightBody, request.body);
    const picture = await view.picture(0);
    const { id, node: from, reading } = findWorkload(picture, wanted);
    if (!picture.snapshot.nodes.some((node) => node.id === to)) throw new EvenkeelError("NODE_NOT_FOUND", to);
    if (from === to) throw new EvenkeelError("ALREADY_THERE", `${reading.name} on ${to}`);
    const { name, containerId } = reading;
    const question = { kind: "preflight" as const, name, containerId, from, to };
    const [report] = await askExecutors<PreflightReport>(redis, keys, [{ node: from, question }], PATIENCE_SECONDS);
    if (report instanceof EvenkeelError) throw report;
    const findings = report?.findings ?? [finding("executor-silent", `the executor of ${from} gave no answer`)];
    const refusal = canMove(picture.snapshot, policies.current(), picture.reading.at, id, to);
    return { workload: id, name, from, to, isClear: refusal === null && blockersAmong(findings).length === 0, refusal, findings };
  });
}
