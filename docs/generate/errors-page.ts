import { CATALOGUE } from "../../platform/errors.js";
import { exitCodeOf } from "../../scheduler/cli/exit-codes.js";
import { cell, table } from "./markdown.js";

/** docs/errors.md: the catalogue as a table. */
export function errorsPage(): string {
  const rows = Object.entries(CATALOGUE)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, { message, hint, retryable, httpStatus }]) => [
      `\`${code}\``,
      cell(message),
      cell(hint),
      retryable ? "yes" : "",
      String(httpStatus),
      String(exitCodeOf(code as keyof typeof CATALOGUE)),
    ]);
  return `# Errors
<!-- Written by \`npm run generate\` from platform/errors.ts; a test keeps it equal to it. -->

Every error that Evenkeel gives has one of these codes: in API answers (\`{"error": {"code", "message", "hint", "retryable", "facts"}}\`), on the
command line, in a failed migration's record (\`evenkeel migrations ID\`) and in the logs. The message goes on with what and where. *Passes*: the same request
may succeed later without anyone changing anything. *HTTP* and *exit* are the status of the [API](api.md) and the exit code of the
[command line](cli.md#exit-codes).

A migration that fails with any of them leaves its workload running, and one copy of it only. Two are special: after \`PAGES_LOST\` that copy was started
anew, and with \`NODE_LOST\` the workload may have been on the node that is gone: the record says on which it counts.

${table(["code", "what happened", "what to do", "passes", "HTTP", "exit"], rows)}
`;
}
