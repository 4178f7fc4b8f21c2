import { CATALOGUE, type ErrorCode } from "../../platform/errors.js";

/** What the command's exit tells a script; docs/cli.md lists them. */
export const EXIT = {
  ok: 0,
  /** It was tried and failed: a migration that did not succeed, an error inside Evenkeel. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** No scheduler, no leader, or no Redis behind it. */
  unreachable: 3,
  /** Understood and turned down: no token, no such thing, a constraint in the way. Nothing was changed. */
  refused: 4,
  /** Still not there when the time was up; what was begun goes on. */
  timedOut: 5,
} as const;

export function exitCodeOf(code: ErrorCode): number {
  const { httpStatus } = CATALOGUE[code];
  if (httpStatus === 400) return EXIT.usage;
  if (httpStatus === 503) return EXIT.unreachable;
  return httpStatus >= 500 ? EXIT.failed : EXIT.refused;
}
