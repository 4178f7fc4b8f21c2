import type { LabContainer } from "../../../lab/workloads/workload-table.js";

/** A server from Debian's packages, and how many connections are held open to it by clients that check every answer. */
export interface RealServer extends LabContainer {
  readonly connections: number;
}

const MIB = 1 << 20;

const base = { cpuLimitCores: 1, volumes: [], labels: {}, env: {}, port: 7000, memoryLimitBytes: 256 * MIB };

function at(octet: number) {
  return { address: `10.77.0.${octet}`, macAddress: `02:45:4b:00:00:${octet.toString(16)}` };
}

/** Appends each write to a file, and forks every few seconds to write a whole copy. */
const REDIS = "redis-server --bind 0.0.0.0 --protected-mode no --dir /data --appendonly yes --save 5 100 --maxmemory-policy noeviction";

/** Checkpoints, autovacuum and parallel workers come all the time, so that processes come and go under the moves. */
const POSTGRES = [
  "shared_buffers=48MB",
  "min_wal_size=16MB",
  "max_wal_size=64MB",
  "checkpoint_timeout=30s",
  "autovacuum_naptime=5s",
  "min_parallel_table_scan_size=0",
  "log_timezone=GMT",
  "timezone=GMT",
];

export const SERVERS: readonly RealServer[] = [
  {
    ...base,
    ...at(171),
    name: "redis",
    image: "evenkeel-servers/redis:1",
    command: REDIS.split(" "),
    port: 6379,
    volumes: [{ name: "redis-data", target: "/data" }],
    connections: 4,
  },
  {
    ...base,
    ...at(172),
    name: "postgres",
    image: "evenkeel-servers/postgres:1",
    command: ["sh", "/srv/start-postgres", ...POSTGRES.flatMap((setting) => ["-c", setting])],
    port: 5432,
    volumes: [{ name: "postgres-data", target: "/var/lib/postgresql" }],
    // pgbench's, see pgbench.ts.
    connections: 0,
  },
  {
    ...base,
    ...at(173),
    name: "nginx",
    image: "evenkeel-servers/nginx:1",
    command: ["nginx", "-c", "/etc/nginx.conf"],
    port: 80,
    connections: 6,
  },
  {
    ...base,
    ...at(174),
    name: "node",
    image: "evenkeel-servers/node:1",
    command: ["node", "/srv/ledger.mjs", "7000"],
    // CRIU cannot save an io_uring.
    env: { UV_USE_IO_URING: "0" },
    memoryLimitBytes: 384 * MIB,
    connections: 6,
  },
  {
    ...base,
    ...at(175),
    name: "python",
    image: "evenkeel-servers/python:1",
    command: ["python3", "-S", "-B", "/srv/ledger.py", "--port", "7000"],
    connections: 8,
  },
  {
    ...base,
    ...at(176),
    name: "java",
    image: "evenkeel-servers/java:1",
    command: ["sh", "-c", "exec /usr/lib/jvm/*/bin/java -Xmx160m /srv/ledger.java 7000"],
    memoryLimitBytes: 512 * MIB,
    connections: 6,
  },
];

export const server = (name: string): RealServer => SERVERS.find((each) => each.name === name)!;
