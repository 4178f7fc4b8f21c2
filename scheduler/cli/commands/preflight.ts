import type { Command } from "commander";
import { blockersAmong } from "../../../platform/findings.js";
import type { PreflightAnswer } from "../../api-shapes.js";
import { EXIT } from "../exit-codes.js";
import type { Output } from "../output.js";
import { type CommonOptions, runCommand, withCommonOptions } from "../run-command.js";
import { plural } from "../words.js";
import { paintStatus, printCures } from "./findings.js";

interface PreflightOptions extends CommonOptions {
  readonly to: string;
}

const TIMEOUT_SECONDS = 45;

export function addPreflight(program: Command): void {
  const command = program.command("preflight").argument("<workload>", "its name, its id, or the beginning of an id");
  withCommonOptions(command)
    .description("say whether a workload could be moved to a node, and if not, everything that stands in the way; moves nothing")
    .requiredOption("--to <node>", "where to")
    .addHelpText("after", "\nExit code 4 when it could not.\n\nExample:\n  evenkeel preflight web --to n2")
    .action((workload: string, options: PreflightOptions) =>
      runCommand(options, async ({ api, output }) => {
        const answer = await api.ask<PreflightAnswer>("POST", "/preflight", { workload, to: options.to }, TIMEOUT_SECONDS);
        if (output.json) output.answer(answer);
        else print(answer, output);
        return answer.isClear ? EXIT.ok : EXIT.refused;
      }),
    );
}

function print({ name, from, to, isClear, refusal, findings }: PreflightAnswer, output: Output): void {
  const blockers = blockersAmong(findings).length + (refusal === null ? 0 : 1);
  const words = isClear ? "nothing is known to stand in the way" : `${plural(blockers, "thing")} in the way`;
  output.line(output.paint(isClear ? "green" : "red", `${name} ${from} -> ${to}: ${words}.`));
  const rows = findings.map(({ severity, message, code }) => [paintStatus(severity, output), message, code]);
  if (refusal !== null) rows.unshift([paintStatus("fail", output), refusal.because, refusal.reason]);
  if (rows.length > 0) output.table(["", "FOUND", "CODE"], rows);
  printCures(findings, output);
}
