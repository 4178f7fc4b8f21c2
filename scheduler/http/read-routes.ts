import type { FastifyInstance } from "fastify";
import { EvenkeelError } from "../../platform/errors.js";
import { listMigrations, readMigration } from "../../platform/migration-record.js";
import type { Answers, StatusAnswer } from "../api-shapes.js";
import { readAudit } from "../audit.js";
import { reportDrain } from "../fleet/drain-report.js";
import { readHistory } from "../fleet/read-histories.js";
import { readLeader } from "../lease.js";
import { readPlan } from "../plan-store.js";
import { API_BASE } from "../protocol.js";
import { readRoll } from "../roll.js";
import { describeNodes, describeStatus, describeWorkloads } from "./describe-fleet.js";
import { type ApiParts, READ_AGE_SECONDS } from "./parts.js";
import { limitQuery, migrationParams, nodeParams, nodesQuery, noQuery, readInput } from "./read-input.js";

/** Of all nodes together, in one answer: more would keep the leader from its lease. */
const HISTORY_POINTS = 50_000;

/** Reads: open to whoever reaches the port, served by every scheduler. */
export function addReadRoutes(server: FastifyInstance, parts: ApiParts): void {
  const { redis, keys, view } = parts;

  server.get(`${API_BASE}/status`, async (request): Promise<StatusAnswer> => {
    readInput(noQuery, request.query);
    return readStatus(parts);
  });

  server.get(`${API_BASE}/nodes`, async (request): Promise<Answers["nodes"]> => {
    const { history } = readInput(nodesQuery, request.query);
    const [picture, plan] = await Promise.all([view.picture(READ_AGE_SECONDS), readPlan(redis, keys)]);
    const ids = history === 0 ? [] : picture.reading.nodes.map(({ id }) => id);
    const length = Math.max(1, Math.min(history, Math.floor(HISTORY_POINTS / ids.length)));
    const histories = new Map(await Promise.all(ids.map(async (id) => [id, await readHistory(redis, keys, id, length)] as const)));
    return { nodes: describeNodes(picture, plan, parts.policies.current(), histories) };
  });

  server.get(`${API_BASE}/workloads`, async (request): Promise<Answers["workloads"]> => {
    readInput(noQuery, request.query);
    return { workloads: describeWorkloads(await view.picture(READ_AGE_SECONDS)) };
  });

  server.get(`${API_BASE}/plan`, async (request): Promise<Answers["plan"]> => {
    readInput(noQuery, request.query);
    return { plan: await readPlan(redis, keys) };
  });

  server.get(`${API_BASE}/migrations`, async (request): Promise<Answers["migrations"]> => {
    const { limit } = readInput(limitQuery, request.query);
    return { migrations: await listMigrations(redis, keys, limit) };
  });

  server.get(`${API_BASE}/migrations/:id`, async (request): Promise<Answers["migration"]> => {
    const { id } = readInput(migrationParams, request.params);
    readInput(noQuery, request.query);
    const migration = await readMigration(redis, keys, id);
    if (migration === null) throw new EvenkeelError("MIGRATION_NOT_FOUND", id);
    return { migration };
  });

  server.get(`${API_BASE}/drains/:id`, async (request): Promise<Answers["drain"]> => {
    const { id } = readInput(nodeParams, request.params);
    readInput(noQuery, request.query);
    // Fresh: a script that waits for the end of a drain acts on this answer.
    const [picture, plan] = await Promise.all([view.picture(0), readPlan(redis, keys)]);
    const drain = reportDrain(picture, id, parts.policies.current(), plan);
    if (drain === null) throw new EvenkeelError("NODE_NOT_FOUND", id);
    return { drain };
  });

  server.get(`${API_BASE}/audit`, async (request): Promise<Answers["audit"]> => {
    const { limit } = readInput(limitQuery, request.query);
    return { entries: await readAudit(redis, keys, limit) };
  });
}

export async function readStatus(parts: ApiParts): Promise<StatusAnswer> {
  const { redis, keys, view, config, policies, windows, leadership } = parts;
  const [picture, plan, leader, roll] = await Promise.all([
    view.picture(READ_AGE_SECONDS),
    readPlan(redis, keys),
    readLeader(redis, keys),
    readRoll(redis, keys),
  ]);
  const { digest } = policies.state();
  return describeStatus(picture, plan, {
    mode: policies.mode(),
    leader,
    isLeader: leadership.term() !== null,
    schedulers: roll.map(({ holder, url, settings }) => ({ url, leads: holder === leader.holder, differs: settings !== digest })),
    tickSeconds: config.scheduler.tickSeconds,
    policies: policies.state(),
    openWindows: windows.open(picture.reading.at).map(({ window, until }) => ({ action: window.action, node: window.node ?? null, until })),
  });
}
