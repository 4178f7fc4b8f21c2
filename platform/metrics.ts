import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { collectDefaultMetrics, Registry } from "prom-client";

/** A registry of its own for each part, with Node's process metrics. */
export function makeRegistry(labels: Record<string, string> = {}): Registry {
  const registry = new Registry();
  registry.setDefaultLabels(labels);
  collectDefaultMetrics({ register: registry });
  return registry;
}

export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Serves `/metrics` and `/healthz`. `health` resolves to null when well, else to what is wrong (HTTP 503). */
export async function serveMetrics(
  registry: Registry,
  port: number,
  host = "0.0.0.0",
  health: () => Promise<string | null> = async () => null,
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    const answer = async () => {
      if (request.url === "/metrics") {
        const body = await registry.metrics();
        response.writeHead(200, { "content-type": registry.contentType }).end(body);
      } else if (request.url === "/healthz") {
        const trouble = await health();
        response.writeHead(trouble === null ? 200 : 503, { "content-type": "text/plain" }).end(`${trouble ?? "ok"}\n`);
      } else {
        response.writeHead(404).end();
      }
    };
    answer().catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
