import type { Forecast } from "../../platform/migration-record.js";
import { ASKED_MODES, type AskedMode, chooseMode, type ModeChoice } from "../../policies/modes/choose-mode.js";
import type { Preflight } from "../preflight/preflight.js";
import { kindOf, readBlackoutModel } from "./blackout-model.js";
import { whyForkedMemoryStays } from "./forked-memory.js";
import type { Held, Surroundings } from "./migration.js";
import { MODES } from "./modes.js";

/** What a record may ask for beside `auto`. A pre-copy that cannot be had gives way like any choice; post-copy, which was wished for its short freeze, does not. */
const ASKED: ReadonlySet<string> = new Set<AskedMode>(ASKED_MODES);

type Known = Pick<Preflight, "description" | "imageBytes" | "needs" | "whyNotLazy" | "forkedRoomBytes"> & { readonly isCold: boolean };

/** The mode for a move: what was asked for, or the choice it leaves, by what both ends can do and what earlier moves have shown. */
export async function chooseFor(surroundings: Surroundings, { record }: Held, known: Known): Promise<ModeChoice> {
  const { learned } = record;
  const [model, lazyHere, precopy, stopSeconds] = await Promise.all([
    readBlackoutModel(surroundings, record.to, kindOf(record, known.isCold)),
    MODES.postcopy.whyNot(surroundings),
    MODES.precopy.whyNot(surroundings),
    // Its own moves tell more than its configuration.
    known.isCold ? (learned?.stopSeconds ?? surroundings.engine.stopSeconds(known.description)) : null,
  ]);
  const named = (node: string, why: string | null) => (why === null ? null : `on ${node} ${why}`);
  const grouped = record.members.length > 1 ? "it moves as one with others" : null;
  // CRIU has to kill the source itself for its kernel to end them.
  const ending = known.description.networks.some(({ keeps }) => !keeps) ? "its connections end with the move" : null;
  const lazy =
    grouped ??
    ending ??
    whyForkedMemoryStays(known.needs.forkedBytes, known.forkedRoomBytes) ??
    named(record.from, lazyHere) ??
    named(record.to, known.whyNotLazy);
  const { pace } = surroundings.streams;
  const wish = ASKED.has(record.mode) ? (record.mode as AskedMode) : "auto";
  const asked = known.isCold ? "cold" : wish === "precopy" && precopy !== null ? "auto" : wish;
  return chooseMode(asked, {
    ...model,
    memoryBytes: known.imageBytes,
    fileBytes: known.needs.rootBytes + known.needs.volumeBytes,
    frozenFileBytes: learned?.frozenFileBytes ?? 0,
    dirtyBytesPerSecond: learned?.dirtyBytesPerSecond ?? null,
    ...(pace !== null && { aheadBytesPerSecond: pace.bytesPerSecond }),
    stopSeconds: stopSeconds ?? 0,
    whyNot: { ...(precopy === null ? {} : { precopy }), ...(lazy === null ? {} : { postcopy: lazy }) },
  });
}

/** What the record keeps of it. */
export function forecastOf({ mode, blackoutSeconds, because, forecasts }: ModeChoice): Forecast {
  return {
    mode,
    blackoutSeconds,
    because,
    others: forecasts.map((each) => ({ mode: each.mode, blackoutSeconds: each.blackoutSeconds, whyNot: each.whyNot })),
  };
}
