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

The same checks run as the stage *preflight* of each migration, which a blocker ends with \`PREFLIGHT_BLOCKED\`; the workload has then not been touched. What else may differ between two hosts, and what becomes of it: [hosts.md](hosts.md).
Evenkeel does not ask for that move again until it has rested ([policies.md](policies.md)). **fail** is a blocker; **warn** is not.

What a workload mounts the collectors have told the scheduler beforehand, by the same rules: what would end with \`volume-shared\`, \`volume-driver\`, \`volume-elsewhere\`, \`bind-mount-shared\` and, but for what only a look at the node shows,
\`bind-mount\` and \`bind-mount-unfit\`, is not planned at all, and \`plan --explain\`, drains and \`what-if\` say \`workload-bound\` with that code; and nothing is planned to where a
running container has what would end with \`volume-taken\` (\`target-has-volume\`), or any container, as far as the collectors tell its name, what would end with \`name-taken\` (\`target-has-name\`).

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
With containers and nodes that really have it, in the lab (\`test/e2e/preflight\`, \`preflight.test.ts\`, \`ending-networks.test.ts\`, \`shared-network.test.ts\` and \`shared-ipc.test.ts\` of \`test/e2e/migration\`); the older CRIU is Debian's 4.1.1. What one machine cannot have is shown to the executor by a stand-in there: a kernel that is set to less or has no IPv6 (a file or folder of /proc is covered), a CPU with fewer instructions (CRIU's own file on the
source's CPU is given one more), one of which CRIU cannot tell and a kernel without userfaultfd (CRIU's answer), a path of /sys that only one kernel has (it is hidden, or put there),
AppArmor on the source alone (the folder by which Docker knows it).
**Only from made-up facts**: older kernels, runc, Docker and Node.js, another architecture, another version of control groups, clocks that are apart, rootless engines, a Docker or a Redis that does not answer, a Redis that
hides its settings, a disk that is nearly full, control groups that are missing, fewer CPUs, a Lucene index, and a node without userfaultfd, without a run directory, that tracks no written pages, allows io_uring or cannot hold packets. **Not at
all**: GPUs, AppArmor profiles other than Docker's, SELinux, CPUs other than x86-64, Docker before 28.
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
