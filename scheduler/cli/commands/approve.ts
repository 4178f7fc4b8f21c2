import type { Command } from "commander";
import { EvenkeelError } from "../../../platform/errors.js";
import type { Answers, ApprovalAnswer } from "../../api-shapes.js";
import { EXIT } from "../exit-codes.js";
import type { Output } from "../output.js";
import { type CommonOptions, runCommand, withCommonOptions } from "../run-command.js";

export function addApprove(program: Command): void {
  const command = program.command("approve").argument("[workloads...]", "only the moves of these, by name or id; default: all");
  withCommonOptions(command)
    .description("make the moves that mode approve or observe holds back (decided anew first)")
    .addHelpText("after", "\nExamples:\n  evenkeel plan --explain && evenkeel approve\n  evenkeel approve web db")
    .action((wanted: string[], options: CommonOptions) =>
      runCommand(options, async ({ api, output }) => {
        const [{ plan }, { workloads }] = await Promise.all([
          api.ask<Answers["plan"]>("GET", "/plan"),
          api.ask<Answers["workloads"]>("GET", "/workloads"),
        ]);
        const names = new Map(workloads.map(({ id, name }) => [id, name]));
        const held = (plan?.moves ?? []).filter(({ heldBack }) => heldBack !== null);
        const isNamed = (id: string, word: string) => word === id || word === names.get(id);
        const stranger = wanted.find((word) => !held.some(({ workload }) => isNamed(workload, word)));
        if (stranger !== undefined) throw new EvenkeelError("INPUT_INVALID", `no move of ${stranger} is held back: evenkeel plan`);
        const chosen = wanted.length === 0 ? held : held.filter(({ workload }) => wanted.some((word) => isNamed(workload, word)));
        const moves = chosen.map(({ workload, to }) => ({ workload, to }));
        const answer =
          moves.length === 0 ? { started: [], dropped: [] } : await api.ask<ApprovalAnswer>("POST", "/plan/approve", { moves });
        if (output.json) output.answer(answer);
        else printApproval(answer, names, output);
        return EXIT.ok;
      }),
    );
}

function printApproval({ started, dropped }: ApprovalAnswer, names: ReadonlyMap<string, string>, output: Output): void {
  if (started.length > 0) output.line(`Started ${started.join(", ")}.`);
  else if (dropped.length === 0) output.line("Nothing was held back.");
  for (const { workload, to } of dropped) output.line(`${names.get(workload) ?? workload} to ${to} is no longer called for.`);
}
