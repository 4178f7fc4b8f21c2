import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { connectRedis } from "../../platform/redis.js";
import { freePort } from "./free-port.js";
import { waitFor } from "./wait-for.js";

/** Set by test/run.ts. */
const LAB_ROOT = process.env["EVENKEEL_LAB_ROOT"] ?? "";
const LIBRARIES = "usr/lib/x86_64-linux-gnu";

export interface ThrowAwayRedis {
  /** For `connectRedis` and the `redis.url` of a configuration. */
  readonly url: string;
  readonly pid: number;
  /** A new connection; closed by `close` if the test has not done so. */
  connect(failFast?: boolean): Redis;
  close(): Promise<void>;
}

/**
 * A real redis-server of its own with nothing in it: noeviction, no files left behind. It listens on a unix socket, or on a free loopback
 * port with `tcp`. The binary is EVENKEEL_REDIS_SERVER, else the host's, else the lab's root file system's.
 */
export async function startRedis(options: { tcp?: boolean; settings?: readonly string[] } = {}): Promise<ThrowAwayRedis> {
  const directory = await mkdtemp(join(tmpdir(), "evenkeel-redis-"));
  const socket = join(directory, "redis.sock");
  const port = options.tcp === true ? await freePort() : 0;
  const url = options.tcp === true ? `redis://127.0.0.1:${port}` : `unix://${socket}`;
  const [binary, ...prefix] = redisServerCommand();
  const settings = ["--save", "", "--maxmemory-policy", "noeviction", "--loglevel", "warning", ...(options.settings ?? [])];
  const server = spawn(
    binary!,
    [...prefix, "--port", String(port), "--bind", "127.0.0.1", "--unixsocket", socket, "--dir", directory, ...settings],
    { stdio: "ignore" },
  );
  const gone = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  const connections: Redis[] = [];
  const connect = (failFast = false) => {
    const redis = connectRedis({ url }, failFast);
    connections.push(redis);
    return redis;
  };
  const close = async () => {
    for (const redis of connections) redis.disconnect();
    stop(server);
    await gone;
    await rm(directory, { recursive: true, force: true });
  };
  const probe = connect();
  try {
    await waitFor("redis-server to answer", async () => existsSync(socket) && (await probe.ping()) === "PONG");
  } catch (error) {
    await close();
    throw error;
  }
  return { url, pid: server.pid!, connect, close };
}

function redisServerCommand(): string[] {
  const named = process.env["EVENKEEL_REDIS_SERVER"];
  if (named !== undefined) return [named];
  const host = ["/usr/bin/redis-server", "/usr/local/bin/redis-server"].find((path) => existsSync(path));
  if (host !== undefined) return [host];
  // The lab's C library is newer than the host's: its own loader runs its binaries without a chroot.
  const loader = join(LAB_ROOT, "lib64/ld-linux-x86-64.so.2");
  if (!existsSync(loader)) throw new Error(`no redis-server: install one, or set EVENKEEL_REDIS_SERVER, or build the lab (${LAB_ROOT})`);
  return [loader, "--library-path", join(LAB_ROOT, LIBRARIES), join(LAB_ROOT, "usr/bin/redis-server")];
}

function stop(server: ChildProcess): void {
  if (server.exitCode === null) server.kill("SIGKILL");
}
