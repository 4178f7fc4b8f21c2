import type { MigrationMode } from "../types.js";

/** What of a workload decides how long it stands still, and what both ends can do. */
export interface ModeFacts {
  readonly memoryBytes: number;
  readonly fileBytes: number;
  /** Of the files what is written meanwhile, and crosses in the freeze; 0 = nobody knows. */
  readonly frozenFileBytes: number;
  /** Null: not measured, so that all of the memory may change while it is sent. */
  readonly dirtyBytesPerSecond: number | null;
  readonly bytesPerSecond: number;
  /** While the workload runs, where less may be sent then. */
  readonly aheadBytesPerSecond?: number;
  /** Freezing and resuming take this long even with no memory at all. */
  readonly fixedSeconds: number;
  /** Until the program has ended, which a cold move waits for. */
  readonly stopSeconds: number;
  /** Why a mode cannot be had between these two nodes; absent = it can. */
  readonly whyNot: Readonly<Partial<Record<MigrationMode, string>>>;
}

export interface ModeForecast {
  readonly mode: MigrationMode;
  /** Sent while the workload runs, and while it does not. */
  readonly runningBytes: number;
  readonly frozenBytes: number;
  readonly blackoutSeconds: number;
  /** Why it is not to be had; null = it is. */
  readonly whyNot: string | null;
}

export interface ModeChoice extends ModeForecast {
  /** One sentence for a person. */
  readonly because: string;
  /** Of every mode that was thought of, the chosen one included. */
  readonly forecasts: readonly ModeForecast[];
}

/** What may be asked for: a mode, or a choice. `auto` never takes one that puts the workload or its connections at risk; `cold` is up to the owner's label. */
export const ASKED_MODES = ["auto", "precopy", "stopcopy", "postcopy", "auto+postcopy"] as const;
export type AskedMode = (typeof ASKED_MODES)[number] | "cold";

const CHOICES: Readonly<Record<"auto" | "auto+postcopy", readonly MigrationMode[]>> = {
  auto: ["precopy", "stopcopy"],
  "auto+postcopy": ["precopy", "stopcopy", "postcopy"],
};

/** Rounds of copying while the workload runs; more hardly ever shrink what is left. */
const PRECOPY_ROUNDS = 5;
/** A rest this small is sent in the freeze rather than in another round. */
const SMALL_ROUND_BYTES = 16 * 2 ** 20;
/** Where nobody has measured how fast memory is written: what the rounds aim to leave for the freeze. */
const UNMEASURED_REST_SECONDS = 0.1;
const UNMEASURED = "How fast it writes its memory no move of it has shown yet.";
/** Forecasts closer than this are the same: the mode that sends less is taken, and else the one that comes first, which risks less. */
const NEAR_SECONDS = 0.05;

/** What a mode would take. Pre-copy sends m, m·r, m·r² … with r = dirty rate / link rate, as in Clark et al., Live Migration of Virtual Machines (2005). */
export function forecastMode(mode: MigrationMode, facts: ModeFacts): ModeForecast {
  const { running, frozen } = bytesToSend(mode, facts);
  const blackoutSeconds = facts.fixedSeconds + (mode === "cold" ? facts.stopSeconds : 0) + frozen / facts.bytesPerSecond;
  return { mode, runningBytes: running, frozenBytes: frozen, blackoutSeconds, whyNot: facts.whyNot[mode] ?? null };
}

/** The mode asked for, else of those allowed the one with the shortest predicted blackout. */
export function chooseMode(asked: AskedMode, facts: ModeFacts): ModeChoice {
  const modes = asked === "auto" || asked === "auto+postcopy" ? CHOICES[asked] : [asked];
  const forecasts = modes.map((mode) => forecastMode(mode, facts));
  const [first, ...others] = forecasts.filter(({ whyNot }) => whyNot === null);
  let best = first ?? forecasts[0]!;
  const bytes = ({ runningBytes, frozenBytes }: ModeForecast) => runningBytes + frozenBytes;
  for (const other of others) {
    const gain = best.blackoutSeconds - other.blackoutSeconds;
    if (gain > NEAR_SECONDS || (gain >= -NEAR_SECONDS && bytes(other) < bytes(best))) best = other;
  }
  const isGuess = facts.dirtyBytesPerSecond === null && forecasts.some(({ mode, whyNot }) => mode === "precopy" && whyNot === null);
  return { ...best, because: `${explain(asked, best, forecasts)}${isGuess ? ` ${UNMEASURED}` : ""}`, forecasts };
}

/** Files go ahead of the freeze, and again in it what was written meanwhile. A cold move leaves the memory behind. */
function bytesToSend(mode: MigrationMode, facts: ModeFacts): { readonly running: number; readonly frozen: number } {
  const memory = mode === "cold" ? { running: 0, frozen: 0 } : memoryToSend(mode, facts);
  return { running: facts.fileBytes + memory.running, frozen: facts.frozenFileBytes + memory.frozen };
}

function memoryToSend(
  mode: Exclude<MigrationMode, "cold">,
  { memoryBytes, dirtyBytesPerSecond, bytesPerSecond, aheadBytesPerSecond }: ModeFacts,
): { readonly running: number; readonly frozen: number } {
  if (mode === "postcopy") return { running: memoryBytes, frozen: 0 };
  if (mode === "stopcopy") return { running: 0, frozen: memoryBytes };
  if (dirtyBytesPerSecond === null) {
    return { running: memoryBytes, frozen: Math.min(memoryBytes, UNMEASURED_REST_SECONDS * bytesPerSecond) };
  }
  const dirtyRatio = dirtyBytesPerSecond / Math.min(bytesPerSecond, aheadBytesPerSecond ?? bytesPerSecond);
  // Written as fast as it is sent: one round is made in vain.
  if (dirtyRatio >= 1) return { running: memoryBytes, frozen: memoryBytes };
  let running = 0;
  let round = memoryBytes;
  for (let done = 0; done < PRECOPY_ROUNDS && round > SMALL_ROUND_BYTES; done++) {
    running += round;
    round *= dirtyRatio;
  }
  return { running, frozen: round };
}

function explain(asked: AskedMode, chosen: ModeForecast, forecasts: readonly ModeForecast[]): string {
  const seconds = (forecast: ModeForecast) => `${forecast.blackoutSeconds.toFixed(2)} s`;
  if (forecasts.length === 1) return `${chosen.mode} was asked for: ${seconds(chosen)} of blackout expected.`;
  const others = forecasts
    .filter((other) => other !== chosen)
    .map((other) => (other.whyNot === null ? `${other.mode} ${seconds(other)}` : `not ${other.mode}: ${other.whyNot}`));
  return `${asked} took ${chosen.mode}: ${seconds(chosen)} of blackout expected; ${others.join("; ")}.`;
}
