import { setTimeout as delay } from "node:timers/promises";
import { listMigrations } from "../../platform/migration-record.js";
import type { SkipReason } from "../../policies/types.js";
import type { Answers } from "../../scheduler/api-shapes.js";
import type { LabClients } from "../clients/start-lab-clients.js";
import { waitFor } from "../deadline.js";
import type { Fleet } from "../fleet/fleet.js";
import { WORKLOADS } from "../workloads/workload-table.js";
import { type Level, readLevel } from "./observe.js";
import type { MoveSummary, Summary } from "./summary.js";

export type Told = (line: string) => void;

/** Which node each workload starts on: the first one gets both that will be made to burn. */
const PLACES: Readonly<Record<string, string>> = {
  burner: "node1",
  "burner-2": "node1",
  store: "node2",
  journal: "node2",
  web: "node2",
  rewriter: "node3",
  pair: "node3",
};
export const DRAINED_NODE = "node2";
const BURNERS = ["burner", "burner-2"];
const BURN_PERCENT = 40;
/** The work of the move itself is not the load that it levelled. */
const SETTLE_MILLISECONDS = 3000;
const LEVEL_DEADLINE_SECONDS = 180;
const DRAIN_DEADLINE_SECONDS = 180;
const LOOK_MILLISECONDS = 500;
/** What keeps a workload only until a move that is under way has ended. */
const PASSING: ReadonlySet<SkipReason> = new Set([
  "workload-migrating",
  "source-busy",
  "target-busy",
  "target-settling",
  "fleet-busy",
  "room-being-made",
]);

export async function placeWorkloads(fleet: Fleet, tell: Told): Promise<LabClients> {
  for (const node of fleet.lab.nodes) {
    for (const workload of WORKLOADS.filter((each) => PLACES[each.name] === node.name)) {
      tell(`${node.name}: starting ${workload.name}, ${workload.character}`);
      await fleet.runWorkload(workload, node.name);
    }
  }
  tell("outside the fleet: one connection to each workload, every answer checked");
  return fleet.startClients(WORKLOADS);
}

/** Raises the load on one node and waits until Evenkeel has levelled it by itself. */
export async function heatAndLevel(fleet: Fleet, clients: LabClients, tell: Told): Promise<{ before: Level; after: Level }> {
  for (const name of BURNERS) await clients.burn(name, BURN_PERCENT);
  tell(`node1 heats up: both burners burn ${BURN_PERCENT} % of a core each`);
  let before: Level | null = null;
  // The worst there was before Evenkeel stepped in: the first readings still hold the quiet before.
  await waitFor("Evenkeel to see that node1 is hot", LEVEL_DEADLINE_SECONDS, async () => {
    const level = await readLevel(fleet, 2);
    if ((await moves(fleet)).length > 0) return true;
    if (before === null || level.deviation > before.deviation) before = level;
    return false;
  });
  const worst: Level = before ?? (await readLevel(fleet, 2));
  tell(`imbalance was ${worst.deviation.toFixed(3)} (${words(worst)}) when Evenkeel stepped in`);
  await waitFor("Evenkeel to level the load", LEVEL_DEADLINE_SECONDS, async () => {
    const moved = await moves(fleet);
    return (
      moved.some((record) => record.reason === "overload" && record.result === "succeeded") && moved.every((each) => each.closedAt !== null)
    );
  });
  await delay(SETTLE_MILLISECONDS);
  const after = await readLevel(fleet, 6);
  tell(`imbalance ${after.deviation.toFixed(3)} (${words(after)})`);
  return { before: worst, after };
}

/** Sets the maintenance flag and waits until nothing runs on the node; lifts it again. */
export async function drainAndReturn(fleet: Fleet, tell: Told): Promise<Summary["drain"]> {
  const { docker } = fleet.lab.node(DRAINED_NODE);
  const running = async () => (await docker.listContainers({ filters: { status: ["running"] } })).length;
  tell(`maintenance flag set on ${DRAINED_NODE}, where ${await running()} workloads run`);
  const started = performance.now();
  const token = { authorization: `Bearer ${fleet.settings.operatorToken}`, "content-type": "application/json" };
  const flag = `${fleet.url}/api/v1/nodes/${DRAINED_NODE}/maintenance`;
  const answer = await fetch(flag, { method: "PUT", headers: token, body: JSON.stringify({ reason: "new fans" }) });
  if (!answer.ok) throw new Error(`the scheduler refused the flag: ${await answer.text()}`);
  const tellWhoWaits = makeWaitTeller(fleet, tell);
  const isEmpty = async () => {
    if ((await running()) === 0 && (await allClosed(fleet))) return true;
    // Only the view misses it.
    await tellWhoWaits().catch(() => {});
    return false;
  };
  await waitFor(`${DRAINED_NODE} to be empty`, DRAIN_DEADLINE_SECONDS, isEmpty, LOOK_MILLISECONDS).catch((error) => tell(String(error)));
  const left = await running();
  const seconds = (performance.now() - started) / 1000;
  tell(
    left === 0
      ? `${DRAINED_NODE} is empty after ${seconds.toFixed(1)} s; the flag is lifted`
      : `${left} workloads are left on ${DRAINED_NODE}`,
  );
  const lifted = await fetch(flag, { method: "DELETE", headers: { authorization: token.authorization } });
  if (!lifted.ok) throw new Error(`the scheduler refused to lift the flag: ${await lifted.text()}`);
  return { node: DRAINED_NODE, seconds, left };
}

/** Tells what keeps a workload on the node that is drained, each reason once: of late it may have used more than another node has left. */
function makeWaitTeller(fleet: Fleet, tell: Told): () => Promise<void> {
  const told = new Set<string>();
  return async () => {
    const { plan } = (await (await fetch(`${fleet.url}/api/v1/plan`)).json()) as Answers["plan"];
    for (const { workload, from, reason, because } of plan?.skips ?? []) {
      if (from !== DRAINED_NODE || PASSING.has(reason) || told.has(`${workload} ${reason}`)) continue;
      told.add(`${workload} ${reason}`);
      tell(`… ${workload} waits on ${from}: ${because}`);
    }
  };
}

/** Each migration as its client saw it. */
export async function summariseMoves(fleet: Fleet, clients: LabClients): Promise<MoveSummary[]> {
  const records = await moves(fleet);
  return Promise.all(
    records.map(async (record) => {
      const gap = await clients.gaps(record.workload, record.createdAt, (record.closedAt ?? record.updatedAt) + 0.5);
      return {
        workload: record.workload,
        from: record.from,
        to: record.to,
        reason: record.reason,
        mode: record.modeUsed,
        result: record.result,
        error: record.errorMessage,
        blackoutSeconds: record.blackoutSeconds,
        clientGapSeconds: gap.longestGapSeconds,
        connectionKept: gap.connectionKept,
        bytes: Object.values(record.bytes).reduce((sum, bytes) => sum + bytes, 0),
      };
    }),
  );
}

async function moves(fleet: Fleet) {
  return (await listMigrations(fleet.redis, fleet.keys)).reverse();
}

async function allClosed(fleet: Fleet): Promise<boolean> {
  return (await moves(fleet)).every((record) => record.closedAt !== null);
}

function words(level: Level): string {
  return Object.entries(level.ratios)
    .map(([node, ratio]) => `${node} ${ratio === null ? "unknown" : `${Math.round(ratio * 100)} %`}`)
    .join(", ");
}
