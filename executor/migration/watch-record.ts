import { EvenkeelError } from "../../platform/errors.js";
import { readMigration } from "../../platform/migration-record.js";
import type { Held, Surroundings } from "./migration.js";

/** Of these the workload may be frozen for one. */
const LOOK_MILLISECONDS = 500;

export interface RecordWatch {
  /** Rejects once the record was aborted: with CANCELLED if by somebody else (an operator, the destination, another member of the group), or with what `fail` was given. */
  readonly aborted: Promise<never>;
  /** What `aborted` rejects with; null = not aborted. */
  cause(): EvenkeelError | null;
  /** The record was aborted here, for this reason. */
  fail(cause: EvenkeelError): void;
  /** From now on only `aborted` tells: what is being waited for ends by itself, with words of its own. */
  breakNothingOff(): void;
  close(): void;
}

/** Breaks off whatever waits for the peer once the record is aborted: sending a large volume can take hours. To be closed. */
export function watchRecord({ redis, keys, log }: Surroundings, { record, peer }: Pick<Held, "record" | "peer">): RecordWatch {
  let cause: EvenkeelError | null = null;
  let breaksOff = true;
  let reject: (cause: EvenkeelError) => void;
  const aborted = new Promise<never>((_resolve, fail) => {
    reject = fail;
  });
  aborted.catch(() => {});
  const fail = (why: EvenkeelError) => {
    cause ??= why;
    reject(cause);
    if (breaksOff) peer.breakOff(cause);
  };
  const look = async () => {
    // Again and again: what is begun after that would wait as long.
    if (cause !== null) return fail(cause);
    if ((await readMigration(redis, keys, record.id))?.outcome === "aborted")
      fail(new EvenkeelError("CANCELLED", `${record.id} was aborted while it was carried out`));
  };
  const timer = setInterval(() => {
    look().catch((error: unknown) => log.debug({ migration: record.id, error: String(error) }, "the record cannot be read"));
  }, LOOK_MILLISECONDS);
  return {
    aborted,
    cause: () => cause,
    fail,
    breakNothingOff: () => {
      breaksOff = false;
    },
    close: () => clearInterval(timer),
  };
}
