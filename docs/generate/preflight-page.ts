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

## Where each has been met
With containers and nodes that really have it, in the lab (\`test/e2e/preflight\`, \`preflight.test.ts\` and \`shared-network.test.ts\` of \`test/e2e/migration\`); the older CRIU is Debian's 4.1.1. Two that one machine
cannot have are shown to the executor by a stand-in there: a CPU with fewer instructions (CRIU's own file on the source's CPU is given one more), and a kernel that lacks a path
of /sys (it is hidden). **Only from made-up facts**: older kernels, runc and Node.js, another version of control groups, clocks that are apart, rootless engines, a node without userfaultfd or without a run directory. **Not at
all**: GPUs, AppArmor profiles other than Docker's, SELinux, CPUs other than x86-64 (CRIU compares no others: \`cpu-unchecked\`), Docker before 28.
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
