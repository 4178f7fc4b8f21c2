import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Duplex, Readable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import type { TLSSocket } from "node:tls";
import Fastify, { type FastifyRequest } from "fastify";
import { z } from "zod";
import { asEvenkeelError, EvenkeelError } from "../../platform/errors.js";
import type { Logger } from "../../platform/log.js";
import type { readTls } from "../../platform/tls.js";
import { decompress } from "../channel/zstd.js";
import type { WorkloadDescription } from "../engine/engine.js";
import type { Introduction } from "../preflight/node-probe.js";
import type { Incoming, Until } from "./incoming.js";
import { type Offer, ROUNDS_MOST, RSYNC_UPGRADE, routes } from "./protocol.js";

const params = z.object({ id: z.string().regex(/^[\w-]{1,64}$/) });
const roomBody = z.object({ bytes: z.number().nonnegative() });
const roundParams = z.object({ round: z.coerce.number().int().min(1).max(ROUNDS_MOST) });
const restoreBody = z.object({
  epoch: z.number().int(),
  isCold: z.boolean(),
  processes: z.array(z.object({ pid: z.number(), command: z.string(), threads: z.number() })),
  neighbours: z.array(z.object({ device: z.string(), address: z.string(), macAddress: z.string() })),
  changedTrees: z.array(z.string()),
});
const introduction = z.looseObject({
  facts: z.looseObject({ node: z.string(), kernel: z.string(), kernelLimits: z.record(z.string(), z.number()) }),
  cpuImage: z.string().nullable(),
});
const anewBody = z.object({
  description: z.looseObject({ engine: z.string(), workload: z.string(), name: z.string(), imageId: z.string() }),
});
const offerBody = anewBody.extend({
  introduction,
  needs: z.looseObject({
    rootBytes: z.number(),
    volumeBytes: z.number(),
    coveredPaths: z.array(z.string()),
    hostFiles: z.record(z.string(), z.string().nullable()),
    imageLayers: z.array(z.string()),
    networkTerms: z.record(z.string(), z.looseObject({ prefixLengths: z.array(z.number()), gateways: z.array(z.string()) })),
    usedLimits: z.record(z.string(), z.number()),
  }),
  memoryBytes: z.number().nonnegative(),
});
const twinBody = z.object({
  leaveMemory: z.boolean(),
  owners: z.object({ network: params.shape.id.nullable(), ipc: params.shape.id.nullable() }),
});

/** Then ten questions, one a second (libuv), and the connection is given up. */
const KEEP_ALIVE_SECONDS = 5;

export interface PeerServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Serves the destination's half to other executors. Only a certificate of our authority gets in, and only the source that the record names is obeyed. */
export async function servePeers(
  incoming: Incoming,
  tls: ReturnType<typeof readTls>,
  options: { port: number; host?: string; log: Logger },
): Promise<PeerServer> {
  const app = Fastify({ https: { ...tls, requestCert: true, rejectUnauthorized: true }, bodyLimit: 8 * 1024 * 1024, logger: false });
  app.addContentTypeParser("application/octet-stream", (_request, payload, done) => done(null, payload));
  app.setErrorHandler((error, request, reply) => {
    const known = asEvenkeelError(error);
    options.log.warn({ path: request.url, code: known.code, detail: known.detail }, "peer request failed");
    void reply.status(known.httpStatus).send({ error: { code: known.code, detail: known.detail } });
  });
  const admit = async (request: FastifyRequest, until: Until = "pending"): Promise<string> => {
    const { id } = params.parse(request.params);
    await incoming.authorise(id, callerOf(request.raw), until);
    return id;
  };
  app.get(routes.alive, async () => ({}));
  app.post(routes.compare, async (request) => incoming.compare(introduction.parse(request.body) as unknown as Introduction));
  app.post(routes.preflight, async (request) => incoming.judge(offerBody.parse(request.body) as unknown as Offer));
  app.post(routes.offer(":id"), async (request) => {
    const id = await admit(request);
    return incoming.offer(id, offerBody.parse(request.body) as unknown as Offer);
  });
  app.post(routes.pull(":id"), async (request) => incoming.pull(await admit(request)));
  app.put(routes.image(":id"), async (request) => incoming.image(await admit(request), plainBody(request)));
  app.put(routes.probe(":id"), async (request) => {
    await admit(request);
    (request.body as Readable).resume();
    await finished(request.body as Readable);
    return {};
  });
  app.post(routes.twin(":id"), async (request) => {
    const id = await admit(request);
    const wanted = twinBody.parse(request.body);
    for (const owner of Object.values(wanted.owners)) if (owner !== null) await incoming.authorise(owner, callerOf(request.raw), "pending");
    return incoming.makeTwin(id, wanted);
  });
  app.post(routes.hold(":id"), async (request) => incoming.hold(await admit(request)));
  app.post(routes.steer(":id"), async (request) => incoming.steer(await admit(request)));
  app.put(routes.small(":id"), async (request) => incoming.small(await admit(request), plainBody(request)));
  app.put(routes.memory(":id"), async (request) => incoming.memory(await admit(request), plainBody(request)));
  app.post(routes.room(":id"), async (request) => incoming.bookRoom(await admit(request), roomBody.parse(request.body).bytes));
  app.put(routes.round(":id", ":round"), async (request) =>
    incoming.round(await admit(request), roundParams.parse(request.params).round, plainBody(request)),
  );
  app.post(routes.flush(":id"), async (request) => incoming.flush(await admit(request)));
  app.post(routes.begin(":id"), async (request) => incoming.begin(await admit(request)));
  app.post(routes.restore(":id"), async (request) => incoming.restore(await admit(request), restoreBody.parse(request.body)));
  app.post(routes.anew(":id"), async (request) =>
    incoming.startAnew(await admit(request, "open"), anewBody.parse(request.body).description as unknown as WorkloadDescription),
  );
  app.post(routes.finish(":id"), async (request) => incoming.finish(await admit(request, "ever")));
  app.delete(routes.migration(":id"), async (request) => incoming.remove(await admit(request, "ever")));
  app.get(routes.migration(":id"), async (request) => incoming.status(await admit(request, "ever")));
  // A peer whose link was cut says no goodbye; what waits for its bytes must end all the same.
  app.server.on("connection", (socket: Socket) => socket.setKeepAlive(true, KEEP_ALIVE_SECONDS * 1000));
  // A restore answers only when the workload runs; Node would cut it off after five minutes.
  app.server.requestTimeout = 0;
  app.server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const open = async () => {
      const id = /^\/v1\/migrations\/([\w-]{1,64})\/files$/.exec(request.url ?? "")?.[1];
      if (id === undefined || request.headers.upgrade !== RSYNC_UPGRADE) throw new EvenkeelError("INPUT_INVALID", "no such upgrade");
      await incoming.authorise(id, callerOf(request), "pending");
      const serve = await incoming.files(id);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${RSYNC_UPGRADE}\r\n\r\n`);
      if (head.length > 0) socket.unshift(head);
      serve(socket);
    };
    open().catch((error: unknown) => {
      const { httpStatus, code, detail } = asEvenkeelError(error, "PEER_UNREACHABLE");
      options.log.warn({ path: request.url, code, detail }, "peer stream refused");
      const body = JSON.stringify({ error: { code, detail } });
      const head = ["content-type: application/json", `content-length: ${Buffer.byteLength(body)}`, "connection: close"];
      socket.end([`HTTP/1.1 ${httpStatus} ${STATUS_CODES[httpStatus] ?? ""}`, ...head, "", body].join("\r\n"));
    });
  });
  await app.listen({ port: options.port, host: options.host ?? "0.0.0.0" });
  return {
    port: (app.server.address() as { port: number }).port,
    close: async () => {
      app.server.closeAllConnections();
      await app.close();
    },
  };
}

/** The bytes that were meant; an error on the way breaks both ends of it. */
function plainBody(request: FastifyRequest): Readable {
  const body = request.body as Readable;
  if (request.headers["content-encoding"] !== "zstd") return body;
  const plain = decompress();
  pipeline(body, plain).catch((error: Error) => plain.destroy(error));
  return plain;
}

/** The node that the caller's certificate was issued to. */
function callerOf(request: IncomingMessage): string {
  const name = (request.socket as TLSSocket).getPeerCertificate()?.subject?.CN;
  return Array.isArray(name) ? (name[0] ?? "") : (name ?? "");
}
