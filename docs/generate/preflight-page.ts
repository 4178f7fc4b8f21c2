import type { Known } from "../../platform/findings/finding.js";
import { NODE_FINDINGS } from "../../platform/findings/node-findings.js";
import { PAIR_FINDINGS } from "../../platform/findings/pair-findings.js";
import { DESTINATION_FINDINGS, WORKLOAD_FINDINGS } from "../../platform/findings/workload-findings.js";
import { cell, table } from "./markdown.js";

/** docs/preflight.md: the catalogue of findings as tables. */
export function preflightPage(): string {
  return `# What stands in the way of a move
<!-- Written by \`npm run generate\` from platform/findings; a test keeps it equal to it. -->

Everything that is known to stop a move is looked for before anything is touched. Ask for it:

\`\`\`sh
evenkeel doctor                       # every node and every pair of nodes
evenkeel doctor n1 n2                 # these two
evenkeel doctor --local               # this machine alone, before anything runs
evenkeel preflight web --to n2        # one workload, one destination
\`\`\`

The same checks run as the stage *preflight* of each migration, which a blocker ends with \`PREFLIGHT_BLOCKED\`; the workload has then not been touched.
Evenkeel does not ask for that move again until it has rested ([policies.md](policies.md)). **fail** is a blocker; **warn** is not.

## The workload
Wherever it is to go.

${rows(WORKLOAD_FINDINGS)}

## The destination
Between this workload and that node.

${rows(DESTINATION_FINDINGS)}

## The pair of nodes
Whatever is to be moved.

${rows(PAIR_FINDINGS)}

## The node
By itself.

${rows(NODE_FINDINGS)}
`;
}

function rows(findings: Readonly<Record<string, Known>>): string {
  const entries = Object.entries(findings).map(([code, { severity, meaning, cure }]) => [
    `\`${code}\``,
    severity,
    cell(meaning),
    cell(cure),
  ]);
  return table(["code", "", "what it means", "what to do"], entries);
}
