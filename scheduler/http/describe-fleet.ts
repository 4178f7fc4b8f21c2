import type { MigrationRecord } from "../../platform/migration-record.js";
import type { PolicyConfig } from "../../policies/config.js";
import { parseConstraints } from "../../policies/constraints.js";
import { imbalance } from "../../policies/imbalance.js";
import { provesEmpty } from "../../policies/maintenance/drain-status.js";
import { isAway } from "../../policies/power.js";
import type { NodePoint, Verdict } from "../../policies/types.js";
import type { NodeAnswer, StatusAnswer, WorkloadAnswer } from "../api-shapes.js";
import type { FleetPicture } from "../fleet/build-snapshot.js";
import { reportDrains } from "../fleet/drain-report.js";
import type { PlacedWorkload } from "../fleet/place-workloads.js";
import type { PublishedPlan } from "../plan-store.js";

type State = Verdict["verdict"];

type StateOf = (nodeId: string) => { readonly state: State; readonly because: string };

/** The newest verdict, unless what is known since then says more: a node fell silent, or was flagged, after the plan was made. */
function statesIn(picture: FleetPicture, plan: PublishedPlan | null): StateOf {
  const readings = new Map(picture.reading.nodes.map((reading) => [reading.id, reading]));
  const nodes = new Map(picture.snapshot.nodes.map((node) => [node.id, node]));
  const verdicts = new Map(plan?.verdicts.map((verdict) => [verdict.node, verdict]));
  return (nodeId) => {
    const reading = readings.get(nodeId);
    const node = nodes.get(nodeId);
    if (node && isAway(node))
      return { state: node.power === "waking" ? "waking" : "asleep", because: verdicts.get(nodeId)?.because ?? "not judged yet" };
    if (reading === undefined || node === undefined || reading.sample === null) {
      return { state: "unknown", because: reading?.trouble ?? "it has never reported" };
    }
    const verdict = verdicts.get(nodeId);
    const isDraining = verdict?.verdict === "draining" || verdict?.verdict === "drained";
    if (node.maintenance !== null && !isDraining) return { state: "draining", because: `under maintenance: ${node.maintenance.reason}` };
    if (verdict === undefined || (node.maintenance === null && isDraining)) return { state: "level", because: "not judged yet" };
    const isLoaded = reading.sample.workloads.length > 0;
    if (verdict.verdict === "drained" && isLoaded) return { state: "draining", because: "its newest sample still shows workloads" };
    if (verdict.verdict === "drained" && !provesEmpty(reading.sample.at, node.maintenance)) {
      return { state: "draining", because: "asked for since its newest sample: the next one will show whether anything runs there" };
    }
    return { state: verdict.verdict, because: verdict.because };
  };
}

export function describeNodes(
  picture: FleetPicture,
  plan: PublishedPlan | null,
  policyConfig: PolicyConfig,
  histories: ReadonlyMap<string, readonly NodePoint[]>,
): NodeAnswer[] {
  const count = new Map<string, number>();
  for (const { node, conflict } of picture.placed) {
    for (const at of conflict.length === 0 ? [node] : conflict) count.set(at, (count.get(at) ?? 0) + 1);
  }
  const drains = new Map(reportDrains(picture, policyConfig, plan).map((drain) => [drain.node, drain]));
  const states = new Map(picture.snapshot.nodes.map((node) => [node.id, node]));
  const stateOf = statesIn(picture, plan);
  return picture.reading.nodes.map(({ id, lastSeenAt, sample, identity }) => {
    const node = states.get(id)!;
    const history = histories.get(id);
    const ratio = (used: number | null | undefined, capacity: number) =>
      used === null || used === undefined || capacity <= 0 ? null : used / capacity;
    return {
      id,
      ...stateOf(id),
      lastSeenAt,
      cpuCapacityCores: node.cpuCapacityCores,
      cpuUsedCores: sample?.cpuUsedCores ?? null,
      cpuRatio: ratio(sample?.cpuUsedCores, node.cpuCapacityCores),
      memoryCapacityBytes: node.memoryCapacityBytes,
      memoryUsedBytes: sample?.memoryUsedBytes ?? null,
      memoryRatio: ratio(sample?.memoryUsedBytes, node.memoryCapacityBytes),
      maintenance: picture.requests.get(id) ?? [],
      cordon: picture.cordons.get(id) ?? [],
      workloads: sample === null && !isAway(node) ? null : (count.get(id) ?? 0),
      drain: drains.get(id) ?? null,
      labels: node.labels,
      kernel: identity?.kernel ?? null,
      engine: identity?.engine ? `${identity.engine.name} ${identity.engine.version}` : null,
      peerAddress: identity?.peerAddress ?? null,
      health: { signs: node.health ?? [], unread: sample?.health?.unread ?? [] },
      failures: sample?.failures ?? [],
      ...(history === undefined ? {} : { history }),
    };
  });
}

export function describeWorkloads(picture: FleetPicture): WorkloadAnswer[] {
  const migrations = new Map(picture.reading.openMigrations.map((record: MigrationRecord) => [record.workload, record.id]));
  const silent = new Set(picture.reading.nodes.flatMap(({ id, sample }) => (sample === null ? [id] : [])));
  return [...picture.placed]
    .sort((a, b) => a.reading.name.localeCompare(b.reading.name) || (a.id < b.id ? -1 : 1))
    .map(({ id, node, reading, conflict, isCertain }: PlacedWorkload) => ({
      id,
      name: reading.name,
      node,
      image: reading.image,
      containerId: reading.containerId,
      state: silent.has(node) ? "silent" : reading.state,
      cpuUsedCores: silent.has(node) ? null : reading.cpuUsedCores,
      memoryUsedBytes: silent.has(node) ? null : reading.memoryUsedBytes,
      cpuLimitCores: reading.cpuLimitCores,
      memoryLimitBytes: reading.memoryLimitBytes,
      constraints: parseConstraints(reading.labels),
      lastMovedAt: picture.reading.lastMoved[id] ?? null,
      migration: migrations.get(id) ?? null,
      conflict: isCertain ? conflict : [],
    }));
}

export function describeStatus(
  picture: FleetPicture,
  plan: PublishedPlan | null,
  rest: Pick<StatusAnswer, "mode" | "leader" | "isLeader" | "schedulers" | "tickSeconds" | "openWindows" | "policies">,
): StatusAnswer {
  const nodes: Record<State, number> = {
    level: 0,
    warming: 0,
    overloaded: 0,
    draining: 0,
    drained: 0,
    suspect: 0,
    asleep: 0,
    waking: 0,
    unknown: 0,
  };
  const stateOf = statesIn(picture, plan);
  for (const { id } of picture.reading.nodes) nodes[stateOf(id).state]++;
  return {
    at: picture.reading.at,
    ...rest,
    pause: picture.pause,
    imbalance: imbalance(picture.snapshot),
    nodes,
    cordoned: picture.cordons.size,
    workloads: picture.placed.length,
    migrationsOpen: picture.reading.openMigrations.length,
    planAt: plan?.at ?? null,
  };
}
