import { asEvenkeelError } from "../../platform/errors.js";
import type { Logger } from "../../platform/log.js";
import { isAsked } from "../../policies/stages/gates.js";
import type { Move } from "../../policies/types.js";
import { recordAudit } from "../audit.js";
import type { FleetPicture } from "../fleet/build-snapshot.js";
import type { Pause } from "../fleet/pause.js";
import { movesForbidden, type OpenWindow } from "../windows.js";
import { type Actor, type BegunMove, startMigration } from "./start-migration.js";

export type Mode = "observe" | "approve" | "auto";

/** What holds moves back at this moment, whatever their reason is worth. */
export interface Restraint {
  readonly mode: Mode;
  readonly windows: readonly OpenWindow[];
  readonly pause: Pause | null;
}

/** Of what an operator has approved. */
export function approvedUnder({ windows }: Pick<Restraint, "windows">): Restraint {
  return { mode: "auto", windows, pause: null };
}

/** Why a planned move is not being made by itself; null = it is. A drain and what follows it were asked for by an operator, so they go on in every mode. */
export function heldBack(move: Pick<Move, "reason" | "from" | "to">, { mode, windows, pause }: Restraint): string | null {
  if (isAsked(move.reason)) return null;
  if (pause !== null) return `the fleet is paused (${pause.reason})`;
  if (move.reason !== "health" && movesForbidden(windows, move)) return "a no-moves window is open";
  if (mode === "observe") return "mode observe: plans only";
  if (mode === "approve") return "mode approve: waits for an operator (`evenkeel approve`)";
  return null;
}

/** A move that was started, as migration `id`. */
export interface StartedMove {
  readonly id: string;
  readonly move: BegunMove;
}

/** Starts these moves in order, and what moves as one with them. One that cannot be opened is left to the next tick; losing the leadership stops everything. */
export async function carryOut(actor: Actor, picture: FleetPicture, moves: readonly BegunMove[], log: Logger): Promise<StartedMove[]> {
  const started: StartedMove[] = [];
  for (const move of moves) {
    if (started.some((each) => each.move.workload === move.workload)) continue;
    try {
      const opened = await startMigration(actor, picture, move);
      started.push(...opened.map(({ id, workload, because }) => ({ id, move: { ...move, workload, because } })));
    } catch (error) {
      const { code, detail } = asEvenkeelError(error);
      if (code !== "WORKLOAD_MIGRATING" && code !== "MOVE_REFUSED") throw error;
      log.debug({ workload: move.workload, code }, "is being moved already, or may not be moved");
      if (code === "MOVE_REFUSED") {
        const entry = { at: picture.reading.at, kind: "move-refused", actor: "scheduler", workload: move.workload, detail };
        await recordAudit(actor.redis, actor.keys, entry, actor.term);
      }
    }
  }
  return started;
}
