/**
 * The one error catalogue. A message says what, where, and what to do next.
 * `retryable`: the same request may succeed later without anyone changing anything.
 */
interface Entry {
  readonly message: string;
  readonly hint: string;
  readonly retryable: boolean;
  readonly httpStatus: number;
}

const entry = (message: string, hint: string, retryable = false, httpStatus = 409): Entry => ({
  message,
  hint,
  retryable,
  httpStatus,
});

export const CATALOGUE = {
  CONFIG_INVALID: entry("The configuration is not valid", "Mend the fields named above; nothing of it was applied.", false, 400),
  INPUT_INVALID: entry("The request is not valid", "Mend the fields named above; see `evenkeel help`.", false, 400),
  UNAUTHORIZED: entry("The operator token is missing or wrong", "Set EVENKEEL_TOKEN, or pass --token.", false, 401),
  SCHEDULER_UNREACHABLE: entry("The scheduler does not answer", "Check that it runs and that EVENKEEL_URL (or --url) names it.", true, 503),
  REDIS_UNREACHABLE: entry("Redis does not answer", "Check that it runs and that redis.url names it.", true, 503),
  REDIS_EVICTS: entry("Redis may evict keys", "Set `maxmemory-policy noeviction`: an evicted record could lose a workload.", false, 503),
  NODE_NOT_FOUND: entry("No such node", "`evenkeel nodes` lists them.", false, 404),
  NODE_UNKNOWN: entry("The node has not reported lately", "Check its collector; an unknown node is neither source nor target.", true),
  NODE_REPORTS: entry(
    "The node is alive",
    "Forgetting is for nodes that will not come back: stop its collector and executor first, and wait a minute.",
  ),
  NODE_LOST: entry(
    "The source was lost in the migration, and has been forgotten",
    "The record's message says on which node the workload counts; should the source come back, its executor acts by the record.",
  ),
  WORKLOAD_NOT_FOUND: entry("No such workload", "`evenkeel workloads` lists them.", false, 404),
  WORKLOAD_AMBIGUOUS: entry("The name fits more than one workload", "Use the workload's id instead.", false, 400),
  WORKLOAD_MIGRATING: entry("The workload is being moved already", "Wait for that migration: `evenkeel migrations`.", true),
  MIGRATION_NOT_FOUND: entry("No such migration", "`evenkeel migrations` lists the recent ones.", false, 404),
  MOVE_REFUSED: entry("The move breaks a hard constraint", "`evenkeel plan --explain` shows why."),
  ALREADY_THERE: entry("The workload is on that node already", "Choose another node."),
  FENCED: entry("A newer owner has taken over", "Nothing to do: this writer has stood down.", false),
  NOT_LEADER: entry("This scheduler is not the leader", "Ask the leader; `evenkeel status` prints its address.", true, 503),
  PEER_UNREACHABLE: entry(
    "The peer executor does not answer",
    "Check its executor, the peer address, and that port 9443 is open between nodes.",
    true,
  ),
  PEER_UNAUTHENTICATED: entry("The peer's certificate was refused", "Issue both nodes' certificates from the same authority.", false, 401),
  PREFLIGHT_BLOCKED: entry("The workload cannot be moved as it is", "Each blocker names its cure; docs/preflight.md has them all."),
  RESERVATION_FAILED: entry("The destination has no room left", "Wait for its other migrations, or choose another node.", true),
  IMAGE_UNAVAILABLE: entry("The image could not be brought to the destination", "Check disk space there and the link between nodes.", true),
  SYNC_FAILED: entry("Files could not be synchronised", "See the executor's log for rsync's words.", true),
  WORKLOAD_CHANGED: entry(
    "The workload was changed while it was made ready to move; it goes on where it was",
    "Nothing to do: another attempt takes it as it is now.",
    true,
  ),
  CHECKPOINT_FAILED: entry("CRIU could not freeze the workload; it goes on where it was", "The executor's log holds CRIU's reason.", false),
  TRANSFER_FAILED: entry("The memory image did not arrive whole; the workload goes on where it was", "Check the link between nodes.", true),
  CHECKSUM_MISMATCH: entry(
    "What arrived is not what was sent; the workload goes on where it was",
    "If it happens again, look for a faulty memory module, network card or disk on either node.",
    true,
  ),
  RESTORE_FAILED: entry(
    "The destination could not resume the workload; it goes on where it was",
    "The destination's log holds CRIU's reason.",
    false,
  ),
  MIGRATION_SETTLED: entry("The migration can no longer be cancelled", "Move the workload back: `evenkeel migrate WORKLOAD --to NODE`."),
  COMMIT_REFUSED: entry("The migration was aborted before the destination could commit", "Nothing to do: the source goes on.", true),
  PAGES_LOST: entry(
    "The workload's memory was lost after it had moved; it was started anew on the destination, with its files",
    "By postcopy it needs its source until the last page is in, by any mode the destination's Docker until that has answered the start. Their logs say what failed.",
    false,
  ),
  PROOF_FAILED: entry("The restored workload is not the one that was frozen", "The source goes on; please report this.", false),
  CANCELLED: entry("The migration was cancelled", "Start it again when wanted.", true),
  INTERRUPTED: entry("The executor stopped during the migration", "Nothing to do: the record was settled when it came back.", true),
  ENGINE_FAILED: entry("The container engine refused", "Its words are above.", true),
  INTERNAL: entry("Something in Evenkeel failed", "Please report it with the log.", false, 500),
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof CATALOGUE;

/** An error of the catalogue. `detail` says what and where, in words for a person. */
export class EvenkeelError extends Error {
  override readonly name = "EvenkeelError";
  readonly code: ErrorCode;
  readonly detail: string;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, detail: string, options: { cause?: unknown; facts?: Record<string, unknown> } = {}) {
    super(`${CATALOGUE[code].message}: ${detail}`, { cause: options.cause });
    this.code = code;
    this.detail = detail;
    this.facts = options.facts ?? {};
  }

  get hint(): string {
    return CATALOGUE[this.code].hint;
  }
  get retryable(): boolean {
    return CATALOGUE[this.code].retryable;
  }
  get httpStatus(): number {
    return CATALOGUE[this.code].httpStatus;
  }
  toJSON() {
    return { code: this.code, message: this.message, hint: this.hint, retryable: this.retryable, facts: this.facts };
  }
}

/** Gives any thrown value a code; errors of the catalogue pass unchanged. */
export function asEvenkeelError(error: unknown, code: ErrorCode = "INTERNAL"): EvenkeelError {
  if (error instanceof EvenkeelError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new EvenkeelError(code, message, { cause: error });
}
