import { hostname } from "node:os";
import { z } from "zod";
import { DEFAULT_PREFIX } from "./keys.js";

/** A node's name in the fleet and in its certificate. */
export const NODE_ID = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** Fewer can be guessed. */
export const OPERATOR_TOKEN_CHARACTERS = 16;

const seconds = z.number().positive();
/** How a node is put to sleep or woken: a command or an HTTP request. */
const powerHook = z
  .strictObject({
    command: z
      .array(z.string())
      .min(1)
      .optional()
      .describe("Program and arguments, run without a shell; `{node}`, and the environment variable EVENKEEL_NODE, is the node's id"),
    url: z.url().optional().describe('Instead of a command: gets a POST of `{"node": …}`; `{node}` in it is the node\'s id'),
    headers: z.record(z.string(), z.string()).optional(),
  })
  .refine(({ command, url }) => (command === undefined) !== (url === undefined), "needs either a command or a url");

const port = z.number().int().min(0).max(65535);

/** One JSON file for all parts of a node or of the control plane (EVENKEEL_CONFIG, default /etc/evenkeel/config.json). */
export const configSchema = z.strictObject({
  redis: z
    .strictObject({
      url: z
        .string()
        .describe(
          "redis://host:port, rediss://… for TLS, or unix:///path; a user of Redis' access list stands before the host: redis://NAME@…",
        ),
      password: z.string().optional().describe("What `requirepass` of Redis says, or the user's"),
      passwordFile: z.string().optional().describe("Instead of `password`: a file that holds nothing else, read at the start"),
      ca: z
        .string()
        .optional()
        .describe("With rediss://: PEM file of the authority that issued Redis' certificate; left out = those that Node.js trusts"),
      prefix: z.string().default(DEFAULT_PREFIX).describe("Key prefix; keep the braces, they are the cluster hash tag"),
    })
    .refine(({ url, ca }) => ca === undefined || url.startsWith("rediss:"), { path: ["ca"], error: "is for a rediss:// url only" })
    .refine(({ password, passwordFile }) => password === undefined || passwordFile === undefined, {
      path: ["passwordFile"],
      error: "stands in place of password: give one of the two",
    })
    .prefault({ url: "redis://127.0.0.1:6379" }),
  node: z
    .strictObject({
      id: z
        .string()
        .regex(NODE_ID)
        .default(hostname().toLowerCase().split(".")[0] ?? "node")
        .describe("Its name in the fleet, and in its certificate"),
      peerHost: z.string().default(hostname()).describe("Name or address under which other nodes reach this one"),
      labels: z.record(z.string(), z.string()).default({}).describe("Of the node, such as `io.evenkeel.zone`"),
      dockerSocket: z.string().default("/var/run/docker.sock"),
    })
    .prefault({}),
  collector: z
    .strictObject({
      intervalSeconds: seconds.default(5).describe("From one sample to the next"),
      sampleTtlSeconds: seconds
        .default(20)
        .describe("After this long without a sample the node is unknown: at least twice `intervalSeconds`"),
      historyLength: z
        .number()
        .int()
        .positive()
        .default(720)
        .describe("Samples of a node that are kept; policies look back on 720 of them at most"),
      healthSeconds: seconds.default(30).describe("From one look for signs of failing hardware to the next"),
      metricsPort: port.default(9101).describe("For Prometheus and /healthz"),
      maintenanceFile: z
        .string()
        .default("/etc/evenkeel/maintenance")
        .describe("While it exists the node is under maintenance; its text is the reason"),
      cordonFile: z
        .string()
        .default("/etc/evenkeel/cordon")
        .describe("While it exists nothing new is placed on the node, which keeps what it has; its text is the reason"),
    })
    .refine(({ intervalSeconds, sampleTtlSeconds }) => sampleTtlSeconds >= 2 * intervalSeconds, {
      path: ["sampleTtlSeconds"],
      message: "must be at least twice intervalSeconds, or a node is unknown whenever one sample is late",
    })
    .prefault({}),
  executor: z
    .strictObject({
      peerPort: port.default(9443).describe("For the executors of other nodes, over mutual TLS"),
      metricsPort: port.default(9102).describe("For Prometheus and /healthz"),
      pagePort: port.default(9444).describe("The first of eight ports for memory that follows a workload by `postcopy`, over mutual TLS"),
      concurrency: z
        .number()
        .int()
        .positive()
        .default(2)
        .describe("Migrations that leave this node at once, whatever the policies ask for"),
      holdPackets: z
        .boolean()
        .default(true)
        .describe("Keep what is sent to a workload that comes until it runs here; off, clients send it again by their own timers"),
      runDirectory: z
        .string()
        .default("/run/evenkeel")
        .describe(
          "On tmpfs: memory images pass through here. If it is another, the runtime must know: set EVENKEEL_RUN to it in containerd's environment (`systemctl edit containerd`); not tried",
        ),
      stateDirectory: z
        .string()
        .default("/var/lib/evenkeel")
        .describe("On disk: what has to be given back to a workload survives a power cut here"),
      bandwidthBytesPerSecond: z
        .number()
        .positive()
        .optional()
        .describe(
          "Most that all migrations leaving this node may send together while their workloads run: before the freeze, and what follows by `postcopy`; left out = all the link takes",
        ),
      capsFreeze: z
        .boolean()
        .default(false)
        .describe("Keep to `bandwidthBytesPerSecond` in the freeze too, which makes the blackout longer"),
      compression: z
        .enum(["auto", "always", "never"])
        .default("auto")
        .describe("Of what is sent, with zstd. auto: when the measured link is so slow that it pays"),
      imageBudgetBytes: z
        .number()
        .positive()
        .optional()
        .describe("Most that memory images of all migrations may take on this node at once; left out = what the run directory has free"),
      signOfLifeSeconds: z
        .number()
        .positive()
        .default(1.5)
        .describe("How long another executor may take to say that it is alive. Three times without ends every wait for it"),
      tls: z
        .strictObject({
          authority: z.string().default("/etc/evenkeel/tls/ca.pem").describe("Whose certificates are believed"),
          certificate: z.string().default("/etc/evenkeel/tls/node.pem").describe("Issued to `node.id`"),
          key: z.string().default("/etc/evenkeel/tls/node.key"),
        })
        .prefault({}),
    })
    .prefault({}),
  scheduler: z
    .strictObject({
      host: z.string().default("0.0.0.0"),
      port: port.default(8080).describe("API, live page, metrics"),
      tickSeconds: seconds.default(5).describe("From the end of one look at the fleet to the next"),
      leaseSeconds: seconds.default(10).describe("A leader that is silent for this long has lost its place"),
      operatorToken: z
        .string()
        .min(OPERATOR_TOKEN_CHARACTERS)
        .optional()
        .describe("Operators' bearer token; without one every changing request is refused"),
      operatorTokenFile: z.string().optional().describe("Instead of `operatorToken`: a file that holds nothing else, read at the start"),
      mode: z
        .enum(["observe", "approve", "auto"])
        .default("observe")
        .describe("Plan only, wait for an operator, or act. Drains and single moves are made in every mode"),
      advertiseUrl: z.url().optional().describe("Under which other schedulers reach this one; default http://<host name>:<port>"),
      windows: z
        .array(
          z.strictObject({
            cron: z
              .string()
              .describe("When it begins: five fields. What would begin in the hour that summer time leaves out begins right after it"),
            timeZone: z.string().default("UTC"),
            durationMinutes: z.number().int().positive().max(10_080),
            node: z.string().optional().describe("Only this node; left out = all (no-moves only)"),
            action: z
              .enum(["maintenance", "no-moves", "power-saving"])
              .describe(
                "no-moves stops what levels the fleet or saves power, not drains, operators' moves and flights from failing nodes; with a power-saving window, nodes sleep in none but those",
              ),
          }),
        )
        .default([])
        .describe("Times of maintenance, times without moves, times of power saving"),
      power: z
        .strictObject({
          sleep: powerHook,
          wake: powerHook,
          deadlineSeconds: seconds.default(300).describe("A node that has not reported so long after it was woken is unknown"),
        })
        .optional()
        .describe("How nodes are put to sleep and woken, for `policies.consolidate`"),
    })
    .refine(({ operatorToken, operatorTokenFile }) => operatorToken === undefined || operatorTokenFile === undefined, {
      path: ["operatorTokenFile"],
      error: "stands in place of operatorToken: give one of the two",
    })
    .prefault({}),
  /** Checked by the scheduler against its own schema of PolicyConfig. */
  policies: z.record(z.string(), z.unknown()).default({}),
});

export type Config = z.infer<typeof configSchema>;
