/** How a workload is talked to; `lab/clients` has one caller for each. */
export type Protocol = "redis" | "http" | "burner" | "rewriter" | "appender" | "pair";

/** One container of a fleet: what runs in it, and where clients find it, on whichever node it is. */
export interface LabContainer {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly address: string;
  readonly macAddress: string;
  readonly port: number;
  readonly memoryLimitBytes: number;
  readonly cpuLimitCores: number;
  readonly volumes: readonly NamedVolume[];
  /** Folders of its host; `name` is their path there. */
  readonly folders?: readonly NamedVolume[];
  readonly labels: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly sysctls?: Readonly<Record<string, string>>;
  /** As by `docker run -i`. */
  readonly openStdin?: boolean;
}

/** A container of the lab's own fleet. */
export interface LabWorkload extends LabContainer {
  readonly protocol: Protocol;
  /** One sentence for a person: what makes this one different to move. */
  readonly character: string;
}

export interface NamedVolume {
  readonly name: string;
  /** Absolute path in the container. */
  readonly target: string;
}

const MIB = 1 << 20;

const python = (program: string, ...flags: string[]) => ["python3", "-S", "-B", `/srv/${program}.py`, "--port", "7000", ...flags];

const base = {
  image: "evenkeel-lab/python:1",
  port: 7000,
  memoryLimitBytes: 128 * MIB,
  cpuLimitCores: 1,
  volumes: [],
  labels: {},
  env: {},
};

export const WORKLOADS: readonly LabWorkload[] = [
  {
    ...base,
    name: "store",
    protocol: "redis",
    character: "a real redis-server that holds 100 MB and is read and written all the time",
    image: "evenkeel-lab/redis:1",
    command: ["redis-server", "/etc/redis.conf", "--port", "6379"],
    address: "10.77.0.131",
    macAddress: "02:45:4b:00:00:83",
    port: 6379,
    memoryLimitBytes: 384 * MIB,
  },
  {
    ...base,
    name: "web",
    protocol: "http",
    character: "a real nginx with a worker of another user, serving files over one connection kept alive",
    image: "evenkeel-lab/nginx:1",
    command: ["nginx", "-c", "/etc/nginx.conf"],
    address: "10.77.0.132",
    macAddress: "02:45:4b:00:00:84",
    port: 80,
  },
  {
    ...base,
    name: "burner",
    protocol: "burner",
    character: "burns as much CPU as it is told to",
    command: python("burner"),
    address: "10.77.0.133",
    macAddress: "02:45:4b:00:00:85",
  },
  {
    ...base,
    name: "rewriter",
    protocol: "rewriter",
    character: "holds 256 MB and rewrites it page by page, round and round",
    command: python("rewriter", "--megabytes", "256", "--rate", "8"),
    address: "10.77.0.134",
    macAddress: "02:45:4b:00:00:86",
    memoryLimitBytes: 384 * MIB,
  },
  {
    ...base,
    name: "journal",
    protocol: "appender",
    character: "appends to a file in a named volume and syncs each line",
    command: python("appender", "--file", "/data/journal", "--rate", "4"),
    address: "10.77.0.135",
    macAddress: "02:45:4b:00:00:87",
    volumes: [{ name: "evenkeel-lab-journal", target: "/data" }],
  },
  {
    ...base,
    name: "pair",
    protocol: "pair",
    character: "two processes over a socket pair, with threads; each answer passes through both",
    command: python("pair"),
    address: "10.77.0.136",
    macAddress: "02:45:4b:00:00:88",
    sysctls: { "net.core.somaxconn": "1024", "net.ipv4.ip_local_port_range": "20000 30000" },
  },
  {
    ...base,
    name: "burner-2",
    protocol: "burner",
    character: "a second burner: moving the only busy workload of a node would level nothing",
    command: python("burner"),
    address: "10.77.0.137",
    macAddress: "02:45:4b:00:00:89",
  },
];
