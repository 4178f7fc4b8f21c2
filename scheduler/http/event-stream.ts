import type { ServerResponse } from "node:http";
import type { FastifyInstance } from "fastify";
import { readMigration } from "../../platform/migration-record.js";
import { API_BASE } from "../protocol.js";
import type { ApiParts } from "./parts.js";
import { noQuery, readInput } from "./read-input.js";
import { readStatus } from "./read-routes.js";

/** Progress may be noted many times a second; viewers are told at most this often about each migration. */
const COALESCE_MILLISECONDS = 200;
/** A viewer that has so much still to read does not read: what piles up for it would be the leader's memory. */
const UNREAD_BYTES = 2 ** 20;
/** Below the idle timeouts of common proxies. */
const HEARTBEAT_MILLISECONDS = 15_000;

export interface EventStreams {
  close(): void;
}

/**
 * Server-sent events: `status` after each tick (a StatusAnswer; the time to read nodes, workloads and plan again), `migration` on each change
 * of a record (a MigrationRecord), `changed` on a flag or a new plan (`{kind}`).
 */
export function addEventStream(server: FastifyInstance, parts: ApiParts): EventStreams {
  const viewers = new Set<ServerResponse>();
  const waiting = new Map<string, NodeJS.Timeout>();
  const write = (text: string) => {
    for (const viewer of viewers) {
      if (viewer.writableLength > UNREAD_BYTES) viewer.destroy();
      else viewer.write(text);
    }
  };
  const tell = (event: string, data: unknown) => write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  const tellMigration = async (id: string) => {
    waiting.delete(id);
    const record = await readMigration(parts.redis, parts.keys, id);
    if (record !== null) tell("migration", record);
  };
  const complain = (error: unknown) => parts.log.debug({ err: error }, "an event could not be told");

  const stopListening = parts.notes.listen((note) => {
    if (viewers.size === 0) return;
    if (note.kind !== "migration" || note.id === undefined) tell("changed", { kind: note.kind });
    else if (!waiting.has(note.id)) {
      const { id } = note;
      waiting.set(
        id,
        setTimeout(() => void tellMigration(id).catch(complain), COALESCE_MILLISECONDS),
      );
    }
  });
  const stopTicks = parts.ticker.onTick(() => {
    if (viewers.size > 0) readStatus(parts).then((status) => tell("status", status), complain);
  });
  const heartbeat = setInterval(() => write(": still here\n\n"), HEARTBEAT_MILLISECONDS);

  server.get(`${API_BASE}/events`, async (request, reply) => {
    readInput(noQuery, request.query);
    const viewer = reply.raw;
    const status = await readStatus(parts);
    reply.hijack();
    // Gone meanwhile: its `close` has been, and nobody would ever take it out again.
    if (viewer.destroyed) return;
    viewer.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" });
    viewer.write(`retry: 2000\nevent: status\ndata: ${JSON.stringify(status)}\n\n`);
    viewers.add(viewer);
    viewer.on("close", () => viewers.delete(viewer));
  });

  return {
    close: () => {
      stopListening();
      stopTicks();
      clearInterval(heartbeat);
      for (const timer of waiting.values()) clearTimeout(timer);
      for (const viewer of viewers) viewer.end();
      viewers.clear();
    },
  };
}
