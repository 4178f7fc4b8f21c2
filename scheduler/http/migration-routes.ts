import type { FastifyInstance, FastifyRequest } from "fastify";
import type { z } from "zod";
import { nowSeconds } from "../../platform/clock.js";
import { EvenkeelError } from "../../platform/errors.js";
import { readMigration } from "../../platform/migration-record.js";
import { canMove } from "../../policies/can-move.js";
import { sayLosses } from "../../policies/say-losses.js";
import type { Move } from "../../policies/types.js";
import { cancelMigration } from "../act/cancel.js";
import { startMigration } from "../act/start-migration.js";
import type { Answers } from "../api-shapes.js";
import { recordAudit } from "../audit.js";
import { API_BASE } from "../protocol.js";
import { authorize } from "./authorize.js";
import { findWorkload } from "./find-workload.js";
import { termOrForward } from "./forward-to-leader.js";
import type { ApiParts } from "./parts.js";
import { migrateBody, migrationParams, noQueryHere, nothingHere, readInput } from "./read-input.js";

type Asked = z.infer<typeof migrateBody>;

/** Moves asked for or cancelled by an operator. */
export function addMigrationRoutes(server: FastifyInstance, parts: ApiParts): void {
  const { redis, keys, view, policies, jobs } = parts;
  const onRequest = async (request: FastifyRequest) => authorize(request, parts.config.scheduler.operatorToken);
  const note = (kind: string, detail: string, rest: { workload?: string; migration?: string } = {}) =>
    recordAudit(redis, keys, { at: nowSeconds(), kind, actor: "operator", detail, ...rest }, 0);

  /** Looks and opens the record. @throws NODE_NOT_FOUND, ALREADY_THERE, MOVE_REFUSED, and what startMigration throws. */
  const begin = async ({ workload: wanted, to, mode }: Asked, term: number) => {
    const picture = await view.picture(0);
    const workload = findWorkload(picture, wanted);
    const target = picture.snapshot.nodes.find(({ id }) => id === to);
    if (target === undefined) throw new EvenkeelError("NODE_NOT_FOUND", to);
    if (workload.node === to) throw new EvenkeelError("ALREADY_THERE", `${workload.reading.name} on ${to}`);
    if (picture.reading.openMigrations.some((record) => record.workload === workload.id)) {
      throw new EvenkeelError("WORKLOAD_MIGRATING", workload.reading.name);
    }
    const refusal = canMove(picture.snapshot, policies.current(), picture.reading.at, workload.id, to);
    if (refusal !== null) {
      await note("move-refused", `to ${to}: ${refusal.because}`, { workload: workload.id });
      throw new EvenkeelError("MOVE_REFUSED", `${workload.reading.name} to ${to}: ${refusal.because}`, { facts: { ...refusal } });
    }
    const wish: Move = { workload: workload.id, from: workload.node, to, reason: "operator", because: "An operator asked for it." };
    const [move = wish] = sayLosses([wish], picture.snapshot);
    const [opened] = await startMigration({ redis, keys, jobs, term }, picture, move, mode ?? null);
    return { id: opened!.id, workload };
  };

  server.post(`${API_BASE}/migrations`, { onRequest, ...noQueryHere }, async (request, reply) => {
    const asked = readInput(migrateBody, request.body);
    const term = await termOrForward(parts, request, reply);
    if (term === null) return reply;
    const { id, workload } = await parts.inTurn(() => begin(asked, term));
    await note("move-asked", `${workload.node} -> ${asked.to}${asked.mode === undefined ? "" : ` by ${asked.mode}`}`, {
      workload: workload.id,
      migration: id,
    });
    const migration = await readMigration(redis, keys, id);
    return reply.code(201).send({ migration } as Answers["migration"]);
  });

  server.delete(`${API_BASE}/migrations/:id`, { onRequest, ...nothingHere }, async (request): Promise<Answers["migration"]> => {
    const { id } = readInput(migrationParams, request.params);
    const record = await readMigration(redis, keys, id);
    if (record === null) throw new EvenkeelError("MIGRATION_NOT_FOUND", id);
    if (record.closedAt !== null) throw new EvenkeelError("MIGRATION_SETTLED", `${id} has ended: ${record.result}`);
    const outcome = await cancelMigration({ redis, keys, term: 0 }, record, "cancelled by an operator");
    if (outcome === "committed")
      throw new EvenkeelError("MIGRATION_SETTLED", `${id} has passed its commit: the workload runs on ${record.to}`);
    await note("cancel-asked", `at ${record.stage}`, { workload: record.workload, migration: id });
    const migration = await readMigration(redis, keys, id);
    return { migration: migration ?? record };
  });
}
