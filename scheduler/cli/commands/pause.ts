import type { Command } from "commander";
import type { PauseAnswer } from "../../api-shapes.js";
import { EXIT } from "../exit-codes.js";
import { type CommonOptions, runCommand, withCommonOptions } from "../run-command.js";

export function addPause(program: Command): void {
  const command = program.command("pause");
  withCommonOptions(command)
    .description("move nothing in the whole fleet but what operators ask for, whatever the mode; what is not frozen yet is called off")
    .option("--reason <text>", "shown to everyone who looks")
    .addHelpText("after", '\nExamples:\n  evenkeel pause --reason "work on the switches"\n  evenkeel resume')
    .action((options: CommonOptions & { readonly reason?: string }) =>
      runCommand(options, async ({ api, output }) => {
        const answer = await api.ask<PauseAnswer>("PUT", "/pause", options.reason === undefined ? {} : { reason: options.reason });
        if (output.json) output.answer(answer);
        else output.line("The fleet is paused: only drains, their homecomings, and moves that are asked for or approved are made.");
        return EXIT.ok;
      }),
    );
}

export function addResume(program: Command): void {
  const command = program.command("resume").description("end the pause: the mode says again what is done");
  withCommonOptions(command).action((options: CommonOptions) =>
    runCommand(options, async ({ api, output }) => {
      const answer = await api.ask<PauseAnswer>("DELETE", "/pause");
      if (output.json) output.answer(answer);
      else output.line("The fleet is not paused.");
      return EXIT.ok;
    }),
  );
}
