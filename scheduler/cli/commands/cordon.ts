import type { Command } from "commander";
import type { CordonAnswer } from "../../api-shapes.js";
import { EXIT } from "../exit-codes.js";
import { type CommonOptions, runCommand, withCommonOptions } from "../run-command.js";

const pathOf = (node: string) => `/nodes/${encodeURIComponent(node)}/cordon`;

export function addCordon(program: Command): void {
  const command = program.command("cordon").argument("<node>");
  withCommonOptions(command)
    .description("place nothing new on a node; what runs there stays (to empty it: drain)")
    .option("--reason <text>", "shown to everyone who looks")
    .addHelpText("after", '\nExamples:\n  evenkeel cordon n2 --reason "odd noise from a fan"\n  evenkeel uncordon n2')
    .action((node: string, options: CommonOptions & { readonly reason?: string }) =>
      runCommand(options, async ({ api, output }) => {
        const answer = await api.ask<CordonAnswer>("PUT", pathOf(node), options.reason === undefined ? {} : { reason: options.reason });
        if (output.json) output.answer(answer);
        else output.line(`${node} is cordoned: it gets nothing new, and keeps what runs there.`);
        return EXIT.ok;
      }),
    );
}

export function addUncordon(program: Command): void {
  const command = program.command("uncordon").argument("<node>").description("lift the cordon: the node takes workloads again");
  withCommonOptions(command).action((node: string, options: CommonOptions) =>
    runCommand(options, async ({ api, output }) => {
      const answer = await api.ask<CordonAnswer>("DELETE", pathOf(node));
      const { stillAskedForBy, maintenance } = answer;
      const isOpen = stillAskedForBy.length === 0 && maintenance.length === 0;
      if (output.json) output.answer(answer);
      else if (isOpen) output.line(`${node} takes workloads again.`);
      else {
        const warn = (text: string) => output.line(output.paint("yellow", text));
        for (const { source, reason } of stillAskedForBy) warn(`${node} stays cordoned: a ${source} still asks for it (${reason}).`);
        for (const { source, reason } of maintenance)
          warn(`${node} gets nothing new while it is under maintenance, by a ${source} (${reason}): evenkeel undrain ${node}`);
      }
      return isOpen ? EXIT.ok : EXIT.refused;
    }),
  );
}
