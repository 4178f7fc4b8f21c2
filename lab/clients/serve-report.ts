import { rm } from "node:fs/promises";
import Fastify, { type FastifyInstance } from "fastify";
import { z } from "zod";
import type { Clients } from "./clients.js";

const gapsQuery = z.object({ workload: z.string(), since: z.coerce.number(), until: z.coerce.number() });
const burnBody = z.object({ workload: z.string(), percent: z.number().int().min(0).max(100) });

/** HTTP on a unix socket: `GET /report`, `GET /gaps?workload=&since=&until=`, `POST /burn {workload, percent}`, and what `addRoutes` adds. */
export async function serveReport(
  clients: Clients,
  socketPath: string,
  addRoutes: (server: FastifyInstance) => void = () => {},
): Promise<FastifyInstance> {
  const server = Fastify();
  addRoutes(server);
  server.get("/report", () => clients.report());
  server.get("/gaps", (request, reply) => {
    const query = gapsQuery.safeParse(request.query);
    if (!query.success) return reply.code(400).send({ error: z.prettifyError(query.error) });
    const { workload, since, until } = query.data;
    const answer = clients.gapsBetween(workload, since, until);
    return answer ? reply.send(answer) : reply.code(404).send(unknownWorkload(workload));
  });
  server.post("/burn", async (request, reply) => {
    const body = burnBody.safeParse(request.body);
    if (!body.success) return reply.code(400).send({ error: z.prettifyError(body.error) });
    const agreed = clients.burn(body.data.workload, body.data.percent);
    if (!agreed) return reply.code(404).send(unknownWorkload(body.data.workload));
    await agreed;
    return reply.send(body.data);
  });
  // A socket left by a run that was killed would make listening fail.
  await rm(socketPath, { force: true });
  await server.listen({ path: socketPath });
  return server;
}

function unknownWorkload(workload: string) {
  return { error: `no client talks to a workload of that kind named ${workload}` };
}
