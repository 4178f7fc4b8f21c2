import { Command, CommanderError } from "commander";
import { leave } from "../../platform/leave.js";
import { addApprove } from "./commands/approve.js";
import { addCerts } from "./commands/certs.js";
import { addCordon, addUncordon } from "./commands/cordon.js";
import { addDoctor } from "./commands/doctor.js";
import { addDrain, addForget, addUndrain } from "./commands/drain.js";
import { addSimulate, addSnapshot, addWhatIf } from "./commands/foresee.js";
import { addMigrate } from "./commands/migrate.js";
import { addCancel, addMigrations } from "./commands/migrations.js";
import { addNodes } from "./commands/nodes.js";
import { addPause, addResume } from "./commands/pause.js";
import { addPlan } from "./commands/plan.js";
import { addPreflight } from "./commands/preflight.js";
import { addRecord } from "./commands/record.js";
import { addAudit, addStatus } from "./commands/status.js";
import { addWorkloads } from "./commands/workloads.js";
import { EXIT } from "./exit-codes.js";

const program = new Command("evenkeel")
  .description("Keeps a fleet of Docker hosts level: looks at it, and tells its scheduler what to do.")
  .exitOverride()
  .showSuggestionAfterError()
  .addHelpText(
    "after",
    `
Examples:
  evenkeel doctor
  evenkeel status
  evenkeel nodes
  evenkeel plan --explain
  evenkeel migrate web --to n2 --wait
  evenkeel drain n2 --deadline 10m --wait

Exit codes: 0 done, 1 failed, 2 wrong command line, 3 scheduler not reached, 4 refused, 5 not done in time.
Colours are left out when the output is not a terminal, or NO_COLOR is set.`,
  );

for (const add of [
  addStatus,
  addNodes,
  addWorkloads,
  addPlan,
  addApprove,
  addDoctor,
  addPreflight,
  addMigrate,
  addCordon,
  addUncordon,
  addDrain,
  addUndrain,
  addForget,
  addPause,
  addResume,
  addMigrations,
  addCancel,
  addWhatIf,
  addSnapshot,
  addRecord,
  addSimulate,
  addAudit,
  addCerts,
]) {
  add(program);
}

// Settings are copied to a subcommand only when it is made through them; these are not.
const everyCommand = (command: Command): Command[] => [command, ...command.commands.flatMap(everyCommand)];
for (const command of everyCommand(program)) command.exitOverride();

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") leave(EXIT.ok);
});

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
}
