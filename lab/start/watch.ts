import { nodeSampleSchema } from "../../collector/protocol.js";
import { listMigrations, type MigrationRecord } from "../../platform/migration-record.js";
import type { Fleet } from "../fleet/fleet.js";
import { bar, type Terminal } from "./terminal.js";

const REFRESH_MILLISECONDS = 500;
const SHOWN_CLOSED = 5;
const BAR_CELLS = 24;

/** Tells each migration's beginning and end, and keeps a picture of the fleet on the terminal. */
export function followFleet(fleet: Fleet, terminal: Terminal, signal: AbortSignal): { stop(): Promise<void> } {
  const told = new Map<string, boolean>();
  let stopped = false;
  const loop = async () => {
    while (!stopped && !signal.aborted) {
      const records = await listMigrations(fleet.redis, fleet.keys, 20);
      for (const record of [...records].reverse()) tellOnce(record, told, terminal);
      terminal.board(await drawBoard(fleet, records));
      await new Promise((resolve) => setTimeout(resolve, REFRESH_MILLISECONDS));
    }
  };
  const running = loop().catch((error: unknown) => {
    if (!stopped) terminal.tell(`the view stopped: ${String(error)}`);
  });
  return {
    stop: async () => {
      stopped = true;
      await running;
      terminal.board([]);
    },
  };
}

function tellOnce(record: MigrationRecord, told: Map<string, boolean>, terminal: Terminal): void {
  const closed = record.closedAt !== null;
  if (told.get(record.id) === closed) return;
  const known = told.has(record.id);
  told.set(record.id, closed);
  if (!known) terminal.tell(`→ ${record.name}: ${record.from} → ${record.to} (${record.reason}) ${record.because}`);
  if (closed && record.result === "succeeded") {
    terminal.tell(`✓ ${record.name} runs on ${record.to}; blackout ${record.blackoutSeconds?.toFixed(3)} s`);
  } else if (closed) {
    terminal.tell(`✗ ${record.name} stays on ${record.from}: ${record.errorMessage}`);
  }
}

async function drawBoard({ lab, redis, keys }: Fleet, records: readonly MigrationRecord[]): Promise<string[]> {
  const nodes = await Promise.all(
    lab.nodes.map(async (node) => {
      const text = await redis.get(keys.nodeSample(node.name));
      const sample = text === null ? undefined : nodeSampleSchema.safeParse(JSON.parse(text)).data;
      if (sample?.cpuUsedCores == null) return `${node.name}  unknown`;
      const ratio = sample.cpuUsedCores / sample.cpuCapacityCores;
      const names = sample.workloads.map((workload) => workload.name).join(" ");
      return `${node.name}  ${bar(ratio, BAR_CELLS)} ${String(Math.round(ratio * 100)).padStart(3)} %  ${names}`;
    }),
  );
  const open = records.filter((record) => record.closedAt === null);
  const closed = records.filter((record) => record.closedAt !== null).slice(0, SHOWN_CLOSED);
  return [
    "",
    ...nodes,
    ...[...open, ...closed].map((record) => `  ${record.name} ${record.from} → ${record.to}: ${record.result ?? record.stage}`),
  ];
}
