import { setTimeout as pause } from "node:timers/promises";
import type { Fleet } from "../../lab/fleet/fleet.js";
import { nowSeconds } from "../../platform/clock.js";
import { HOLDER_PORT, holderWorkload } from "./holder.js";
import { move } from "./move.js";
import { observe } from "./observe.js";
import { type Spread, spread } from "./statistics.js";

export interface EvenkeelCase {
  readonly sizeMiB: number;
  /** Asked for. */
  readonly mode: string;
  /** What the executor chose. */
  readonly modeUsed: string;
  readonly runs: number;
  /** From the record: the time the workload did not run. */
  readonly blackoutSeconds: Spread;
  /** From the client: its longest wait for an answer. */
  readonly gapSeconds: Spread;
  readonly connectionKept: boolean;
  readonly requests: number;
  readonly wrongAnswers: number;
  /** Sent in the last run, by kind. */
  readonly bytes: Readonly<Record<string, number>>;
  /** Each run, in order, with the seconds of every stage. */
  readonly each: readonly { blackoutSeconds: number; gapSeconds: number; stages: Readonly<Record<string, number>> }[];
}

/** Between moves: the client's own timers settle, and the next window holds nothing of the last move. */
const REST_MS = 1500;

/** Moves one holder back and forth between the first two nodes while a client watches. The first move, which brings the image, does not count. */
export async function measureEvenkeel(
  fleet: Fleet,
  asked: { sizeMiB: number; mode: string; runs: number; nodeCores: number; percent: number },
  tell: (words: string) => void,
): Promise<EvenkeelCase> {
  const { sizeMiB, mode, runs } = asked;
  const workload = holderWorkload(sizeMiB, asked);
  const nodes = fleet.lab.nodes.slice(0, 2).map((node) => node.name);
  let [from, to] = nodes as [string, string];
  await fleet.runWorkload(workload, from);
  const observer = await observe(fleet.lab, { address: workload.address, port: HOLDER_PORT });
  const each: { blackoutSeconds: number; gapSeconds: number; stages: Record<string, number> }[] = [];
  let connectionKept = true;
  let modeUsed = mode;
  let bytes: Readonly<Record<string, number>> = {};
  try {
    for (let run = 0; run <= runs; run++) {
      await pause(REST_MS);
      const since = nowSeconds();
      const record = await move(fleet, workload.name, { from, to, mode });
      const seen = await observer.between(since, nowSeconds());
      [from, to] = [to, from];
      connectionKept &&= seen.connectionKept;
      [modeUsed, bytes] = [record.modeUsed ?? mode, record.bytes];
      const blackoutSeconds = record.blackoutSeconds ?? Number.NaN;
      if (run > 0) each.push({ blackoutSeconds, gapSeconds: seen.gapSeconds, stages: stageSeconds(record.timeline, record.closedAt) });
      tell(`${sizeMiB} MiB ${mode} run ${run}: blackout ${blackoutSeconds.toFixed(3)} s, gap ${seen.gapSeconds.toFixed(3)} s`);
    }
    const [report] = await observer.stop();
    return {
      sizeMiB,
      mode,
      modeUsed,
      runs,
      blackoutSeconds: spread(each.map((one) => one.blackoutSeconds)),
      gapSeconds: spread(each.map((one) => one.gapSeconds)),
      connectionKept: connectionKept && report?.connectionKept === true,
      requests: report?.requests ?? 0,
      wrongAnswers: report?.wrongAnswers ?? 0,
      bytes,
      each,
    };
  } finally {
    await fleet.lab.clients.service("bench-client")?.kill();
    for (const node of fleet.lab.nodes)
      await node.docker
        .getContainer(workload.name)
        .remove({ force: true })
        .catch(() => undefined);
  }
}

function stageSeconds(timeline: readonly { stage: string; at: number }[], closedAt: number | null): Record<string, number> {
  return Object.fromEntries(timeline.map(({ stage, at }, index) => [stage, (timeline[index + 1]?.at ?? closedAt ?? at) - at]));
}
