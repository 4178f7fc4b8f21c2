import { existsSync } from "node:fs";
import fastifyStatic from "@fastify/static";
import { type FastifyInstance, fastify } from "fastify";
import { asEvenkeelError, EvenkeelError } from "../../platform/errors.js";
import { projectPath } from "../../platform/paths.js";
import type { ErrorAnswer } from "../api-shapes.js";
import { addApproveRoutes } from "./approve-routes.js";
import { addCordonRoutes } from "./cordon-routes.js";
import { addDoctorRoutes } from "./doctor-routes.js";
import { addEventStream } from "./event-stream.js";
import { addForesightRoutes } from "./foresight-routes.js";
import { addMigrationRoutes } from "./migration-routes.js";
import { addNodeRoutes } from "./node-routes.js";
import type { ApiParts } from "./parts.js";
import { addPauseRoutes } from "./pause-routes.js";
import { addReadRoutes } from "./read-routes.js";

const PAGE = projectPath("dist/page");
const BODY_LIMIT_BYTES = 256 * 1024;

const REDIS_ERRORS: ReadonlySet<string> = new Set(["MaxRetriesPerRequestError", "ClusterAllFailedError"]);

const SECURITY_HEADERS = {
  "content-security-policy":
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

export async function makeServer(parts: ApiParts): Promise<FastifyInstance> {
  const server = fastify({ bodyLimit: BODY_LIMIT_BYTES, forceCloseConnections: true });
  server.addHook("onSend", async (_request, reply) => void reply.headers(SECURITY_HEADERS));
  server.setErrorHandler((thrown, request, reply) => {
    const error = toEvenkeelError(thrown);
    if (error.httpStatus >= 500 && !error.retryable) parts.log.error({ err: thrown, url: request.url }, "request failed");
    return reply.code(error.httpStatus).send({ error: error.toJSON() } satisfies ErrorAnswer);
  });
  server.setNotFoundHandler((request, reply) => {
    const error = new EvenkeelError("INPUT_INVALID", `there is no ${request.method} ${request.url.split("?")[0]}`);
    return reply.code(404).send({ error: error.toJSON() } satisfies ErrorAnswer);
  });
  addReadRoutes(server, parts);
  addMigrationRoutes(server, parts);
  addNodeRoutes(server, parts);
  addApproveRoutes(server, parts);
  addCordonRoutes(server, parts);
  addPauseRoutes(server, parts);
  addForesightRoutes(server, parts);
  addDoctorRoutes(server, parts);
  addHealthRoutes(server, parts);
  const streams = addEventStream(server, parts);
  server.addHook("preClose", async () => streams.close());
  if (existsSync(PAGE)) await server.register(fastifyStatic, { root: PAGE });
  return server;
}

function addHealthRoutes(server: FastifyInstance, { redis, ticker, registry }: ApiParts): void {
  server.get("/healthz", async (_request, reply) => {
    const trouble = redis.status !== "ready" ? "Redis does not answer" : ticker.trouble();
    return reply
      .code(trouble === null ? 200 : 503)
      .type("text/plain")
      .send(`${trouble ?? "ok"}\n`);
  });
  server.get("/metrics", async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()));
}

/** Fastify's own refusals (malformed JSON, a body too large) are the caller's fault as well. */
function toEvenkeelError(thrown: unknown): EvenkeelError {
  if (thrown instanceof EvenkeelError) return thrown;
  if (REDIS_ERRORS.has((thrown as Error).name) || /Connection is closed|Stream isn't writeable/.test(String(thrown))) {
    return new EvenkeelError("REDIS_UNREACHABLE", "the scheduler lost it", { cause: thrown });
  }
  const { statusCode, message } = thrown as { statusCode?: number; message?: string };
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new EvenkeelError("INPUT_INVALID", message ?? "bad request");
  return asEvenkeelError(thrown);
}
