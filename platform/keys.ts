/**
 * Every Redis key Evenkeel uses. All share one hash tag, so they live in one slot of a Redis Cluster
 * and a Lua script may touch several of them. Nothing here is unbounded: sets hold one member a node or
 * an open migration, streams are trimmed, samples expire.
 */
export const DEFAULT_PREFIX = "{evenkeel}";

export type Keys = ReturnType<typeof makeKeys>;

export function makeKeys(prefix: string = DEFAULT_PREFIX) {
  const key = (...parts: string[]) => [prefix, ...parts].join(":");
  return {
    prefix,
    /** zset: node id -> epoch seconds of its newest sample. */
    nodes: key("nodes"),
    /** string with TTL: newest NodeSample as JSON. Gone = the node is unknown. */
    nodeSample: (node: string) => key("node", node, "sample"),
    /** capped stream: one entry a sample, fields `at cpuRatio memoryRatio` (empty string = unknown). */
    nodeHistory: (node: string) => key("node", node, "history"),
    /** hash: half hour of the day -> the node's means of it on the last days; see collector/protocol.ts. */
    nodePattern: (node: string) => key("node", node, "pattern"),
    /** string: NodeIdentity as JSON (capacity, versions, peer address). Kept when the node is silent. */
    nodeIdentity: (node: string) => key("node", node, "identity"),
    /** hash: node id -> maintenance flag; see scheduler/protocol.ts parseMaintenanceFlag. */
    maintenance: key("maintenance"),
    /** hash: node id -> cordon, written like a maintenance flag; see scheduler/fleet/cordons.ts. */
    cordons: key("cordons"),
    /** string: that nothing is to be moved which nobody asks for, written like a maintenance flag; see scheduler/fleet/pause.ts. Gone = no pause. */
    pause: key("pause"),
    /** hash: who asks, where and in which words, of those flags that have no date of their own -> epoch seconds at which a leader first saw it; see scheduler/fleet/flag-dates.ts. */
    flagDates: key("flag-dates"),
    /** hash: node id -> workloads that an operator wants back there after a drain; see scheduler/fleet/homecomings.ts. */
    homecomings: key("homecomings"),
    /** hash: node id -> what its power was last told; see scheduler/power/power-record.ts. */
    power: key("power"),
    /** hash: node id -> what its executor says of itself and its peers; see executor/protocol.ts. */
    executors: key("executors"),
    /** hash: digest -> a CPU that some node has, as CRIU writes it down; see executor/peer/compare-cpus.ts. */
    cpuKinds: key("cpu-kinds"),
    /** hash: workload id -> epoch seconds of its last committed move. */
    lastMoved: key("last-moved"),
    /** hash: workload id -> node id that owns its running copy, written by commit.lua only. */
    owners: key("owners"),
    /** hash: the record of one migration. */
    migration: (id: string) => key("migration", id),
    /** set: ids of migrations that are not closed. */
    openMigrations: key("migrations", "open"),
    /** hash: workload id -> id of its open migration; at most one each. */
    openByWorkload: key("migrations", "by-workload"),
    /** zset: id of closed migration -> epoch seconds of closing, capped. */
    closedMigrations: key("migrations", "closed"),
    /** hash: migration id -> Reservation as JSON, on the node that will receive. */
    reservations: (node: string) => key("node", node, "reservations"),
    /** list with TTL, trimmed: what schedulers ask of a node's executor; see executor/protocol.ts. */
    questions: (node: string) => key("node", node, "questions"),
    /** string with TTL: an executor's answer as JSON. */
    answer: (id: string) => key("answer", id),
    /** hash: destination -> what moves from this node to it have shown of their blackout, as JSON. */
    blackoutModel: (node: string) => key("node", node, "blackout-model"),
    /** hash `holder term expiresAt`: the leader lease. */
    leader: key("leader"),
    /** hash: lease holder's name -> what that scheduler says of itself; see scheduler/roll.ts. */
    schedulers: key("schedulers"),
    /** string: the newest plan as JSON. */
    plan: key("plan"),
    /** capped stream: every refusal, stage, operator command and whatever else was done. */
    audit: key("audit"),
    /** capped stream: what the leader thinks of nodes and means to move, in a stream of its own lest it push out what was done. */
    auditThoughts: key("audit", "thoughts"),
    /** pub/sub channel: a small JSON note whenever a record or flag changes. */
    events: key("events"),
    /** prefix handed to BullMQ. */
    queuePrefix: key("queue"),
    /** BullMQ queue on which a node's executor takes the moves that leave it. */
    migrateQueue: (node: string) => `migrate-${node}`,
  };
}
