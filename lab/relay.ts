import { existsSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createConnection, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream";
import { waitFor } from "./deadline.js";
import type { Machine } from "./machine.js";
import type { Site } from "./site.js";

export interface Publication {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

/** Has the machine listen on a unix socket in the shared folder and pass what comes to its TCP port. The same pair twice is one relay. */
export async function relay(site: Site, where: Machine, port: number, address = "127.0.0.1"): Promise<string> {
  const name = `${where.name}-${port}`;
  const path = join(site.sharedDirectory, "relay", `${name}.sock`);
  if (where.service(`relay-${port}`)) return path;
  await where.spawn(["socat", `UNIX-LISTEN:/shared/relay/${name}.sock,fork,unlink-early`, `TCP:${address}:${port},nodelay`], {
    name: `relay-${port}`,
  });
  await waitFor(`the relay ${name}`, 30, () => existsSync(path));
  return path;
}

/** Listens on a loopback port (a free one unless given) and passes each connection to the unix socket. */
export async function publish(unixSocket: string, port = 0): Promise<Publication> {
  const open = new Set<Socket>();
  const server = createServer((incoming) => {
    const outgoing = createConnection(unixSocket);
    for (const socket of [incoming, outgoing]) {
      open.add(socket);
      socket.once("close", () => open.delete(socket));
    }
    // A broken connection on one side ends the other; there is nothing to report.
    pipeline(incoming, outgoing, () => undefined);
    pipeline(outgoing, incoming, () => undefined);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const actual = (server.address() as AddressInfo).port;
  return {
    port: actual,
    url: `http://127.0.0.1:${actual}`,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
