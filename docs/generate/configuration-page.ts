import { existsSync } from "node:fs";
import { configSchema } from "../../platform/config.js";
import { projectPath } from "../../platform/paths.js";
import { policyConfigSchema } from "../../scheduler/policy-config.js";
import { commentsOf } from "./comments.js";
import { cell, table } from "./markdown.js";
import { type Setting, settingsOf } from "./settings.js";

/** Defaults that are read from the machine, so that they differ from one to the next. */
const OF_THE_MACHINE: Readonly<Record<string, string>> = {
  "node.id": "the host name's first part, in small letters",
  "node.peerHost": "the host name",
};

const SECTIONS: Readonly<Record<string, string>> = {
  redis: "Needed by every part, and the same for all of them.",
  node: "Who a node is. Collector and executor of one node share one file, so that they agree.",
  collector:
    "On each node. The scheduler reads `intervalSeconds`, `sampleTtlSeconds` and `historyLength` too: keep them alike in the whole fleet.",
  executor: "On each node.",
  scheduler: "On the control plane.",
};

/** docs/configuration.md: every setting of both schemas. */
export function configurationPage(): string {
  const settings = settingsOf(configSchema).filter(({ path }) => path !== "policies");
  const sections = Object.entries(SECTIONS).map(([name, about]) => {
    const own = settings.filter(({ path }) => path.startsWith(`${name}.`));
    return `## ${name}\n${about}\n\n${settingsTable(own)}`;
  });
  return `# Configuration
<!-- Written by \`npm run generate\` from platform/config.ts, scheduler/policy-config.ts and policies/; a test keeps it equal to them. -->

One JSON file: on a node \`/etc/evenkeel/config.json\`, of collector and executor together; the scheduler's is \`/etc/evenkeel/scheduler/config.json\` in both ways to
install it. (The environment variable \`EVENKEEL_CONFIG\` names it; without that variable and without a file at the first place all defaults hold.) Every part reads what
concerns it and ignores no mistake: an unknown name or a wrong value anywhere is refused with \`CONFIG_INVALID\` and every wrong field's name, and
nothing is applied. A change of \`policies\`, \`scheduler.mode\` or \`scheduler.windows\` is taken over by the scheduler within seconds, or refused as a whole with field and
line, and then the settings in force stay (\`evenkeel status\` says so); anything else takes effect when the part is started again, which each of them may be at any time. The scheduler looks at
the file's date once a second, so it does not matter whether an editor writes the file or puts another in its place. In a container of your own, mount its folder: a mounted file stays the old one then.

Files with passwords are for root alone to read, and for the scheduler's group where it runs without Docker ([how](installation.md#2-the-control-plane)). \`EVENKEEL_LOG_LEVEL\` (\`debug\`, \`info\`, \`warn\`, \`error\`) sets how much is logged. The
\`evenkeel\` command has no file; its options are in [cli.md](cli.md).

${sections.join("\n\n")}

## policies
Read by the scheduler. Ratios are 0 to 1 of a node's capacity. What the policies do is told in [policies.md](policies.md). A fix ratio must be below
its detect ratio, and \`consolidate.enabled\` needs \`scheduler.power\`, in force since the start. What a node's readings can never fill is refused: the policies look back on
\`collector.historyLength\` of them, 720 at most. One every 5 s allows an \`overload.holdSeconds\` of 3550 and, where \`balance\` or \`consolidate\` is on, a \`balance.windowSeconds\` of 3600.

${settingsTable(policySettings())}

## Example
A node and, in another file, the scheduler (under compose its two secrets are in files: \`passwordFile\` and \`operatorTokenFile\`, see [installation.md](installation.md#2-the-control-plane)):

\`\`\`json
{
  "redis": { "url": "redis://10.0.0.5:6379", "password": "…" },
  "node": { "id": "n1", "peerHost": "10.0.0.11", "labels": { "io.evenkeel.zone": "rack-a" } }
}
\`\`\`

\`\`\`json
{
  "redis": { "url": "redis://10.0.0.5:6379", "password": "…" },
  "scheduler": {
    "operatorToken": "…",
    "mode": "auto",
    "windows": [
      { "cron": "0 8 * * 1-5", "timeZone": "Europe/Berlin", "durationMinutes": 600, "action": "no-moves" },
      { "cron": "0 2 * * 0", "durationMinutes": 120, "node": "n2", "action": "maintenance" }
    ]
  },
  "policies": { "overload": { "cpuDetectRatio": 0.85, "cpuFixRatio": 0.7 }, "movesPerHour": 20 }
}
\`\`\`
`;
}

/** The schema is drawn from defaults; what each setting means stands beside it in the policies' own interfaces. */
function policySettings(): Setting[] {
  const common = commentsOf("policies/config.ts");
  return settingsOf(policyConfigSchema).map((setting) => {
    const [section = "", name] = setting.path.split(".");
    const own = `policies/${section}/config.ts`;
    const meaning =
      name !== undefined && existsSync(projectPath(own)) ? commentsOf(own).get(name) : (common.get(name ?? section) ?? common.get(section));
    return { ...setting, meaning: meaning ?? "" };
  });
}

function settingsTable(settings: readonly Setting[]): string {
  const rows = settings.map(({ path, allowed, standard, isRequired, meaning }) => [
    `\`${path}\``,
    OF_THE_MACHINE[path] ?? (isRequired ? "must be given" : sayDefault(standard)),
    allowed.startsWith("text like") ? allowed.replaceAll("|", "\\|") : cell(allowed),
    cell(meaning),
  ]);
  return table(["setting", "default", "allowed", "meaning"], rows);
}

function sayDefault(value: unknown): string {
  if (value === undefined || value === null) return "none";
  if (Array.isArray(value) && value.length > 0) return value.map((each) => `\`${String(each)}\``).join(", ");
  return `\`${typeof value === "object" ? JSON.stringify(value) : String(value)}\``;
}
