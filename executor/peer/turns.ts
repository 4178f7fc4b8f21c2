import type { Readable } from "node:stream";
import { EvenkeelError } from "../../platform/errors.js";

export type Turns = ReturnType<typeof makeTurns>;

/** One step of a migration at a time: a removal asked for during a restore waits for its end. */
export function makeTurns() {
  const last = new Map<string, Promise<unknown>>();
  const streams = new Map<string, Readable>();

  function inTurn<T>(id: string, step: () => Promise<T>): Promise<T> {
    const turn = (last.get(id) ?? Promise.resolve()).then(step, step);
    last.set(id, turn);
    const leave = () => {
      if (last.get(id) === turn) last.delete(id);
    };
    turn.then(leave, leave);
    return turn;
  }

  return {
    inTurn,
    /** A source sends again only when it has given up the last stream; what still waits for that one's bytes must make way. */
    afterNewest<T>(id: string, stream: Readable, step: () => Promise<T>): Promise<T> {
      streams.get(id)?.destroy(new EvenkeelError("TRANSFER_FAILED", "the source has begun anew"));
      streams.set(id, stream);
      return inTurn(id, step).finally(() => {
        if (streams.get(id) === stream) streams.delete(id);
      });
    },
    isBusy: (id: string) => last.has(id),
  };
}
