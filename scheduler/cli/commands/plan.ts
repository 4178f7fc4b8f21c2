import type { Command } from "commander";
import type { Answers, WorkloadAnswer } from "../../api-shapes.js";
import type { PublishedPlan } from "../../plan-store.js";
import { EXIT } from "../exit-codes.js";
import type { Output } from "../output.js";
import { type CommonOptions, runCommand, withCommonOptions } from "../run-command.js";
import { ago, bytes, duration, otherModes, percent, plural, UNKNOWN } from "../words.js";
import { paintState } from "./nodes.js";

interface PlanOptions extends CommonOptions {
  readonly explain?: boolean;
}

export function addPlan(program: Command): void {
  const command = program.command("plan").description("show what Evenkeel means to do, and with --explain why not more");
  withCommonOptions(command)
    .option("--explain", "every node's verdict, and every candidate that is not moved with its reason")
    .addHelpText("after", "\nExamples:\n  evenkeel plan --explain\n  evenkeel plan --json | jq '.skips | group_by(.reason)'")
    .action((options: PlanOptions) =>
      runCommand(options, async ({ api, output }) => {
        const { plan } = await api.ask<Answers["plan"]>("GET", "/plan");
        if (output.json) output.answer(plan);
        else if (plan === null) output.line("There is no plan yet: no scheduler has led so far.");
        else {
          const { workloads } = await api.ask<Answers["workloads"]>("GET", "/workloads");
          printPlan(plan, workloads, options.explain === true, output);
        }
        return EXIT.ok;
      }),
    );
}

function printPlan(plan: PublishedPlan, workloads: readonly WorkloadAnswer[], explain: boolean, output: Output): void {
  const names = new Map(workloads.map(({ id, name }) => [id, name]));
  const nameOf = (id: string) => names.get(id) ?? id;
  output.line(
    `Plan of ${ago(plan.at, Date.now() / 1000)}, mode ${plan.mode}: ${plural(plan.moves.length, "move")}, ` +
      `imbalance ${percent(plan.imbalanceBefore)} -> ${percent(plan.imbalanceAfter)}`,
  );
  if (plan.moves.length > 0) {
    output.line();
    output.table(
      ["MOVE", "FROM", "TO", "FOR", "BECAUSE", "HELD BACK"],
      plan.moves.map(({ workload, from, to, reason, because, heldBack }) => [
        nameOf(workload),
        from,
        to,
        reason,
        because,
        output.paint("yellow", heldBack ?? ""),
      ]),
    );
  }
  for (const { because, heldBack } of plan.power)
    output.line(`${because}${heldBack === null ? "" : output.paint("yellow", ` Held back: ${heldBack}.`)}`);
  if (!explain) {
    if (plan.skips.length > 0) output.line(`${plural(plan.skips.length, "candidate")} not moved: evenkeel plan --explain`);
    return;
  }
  printCosts(plan, nameOf, output);
  output.line();
  output.table(
    ["NODE", "VERDICT", "BECAUSE"],
    plan.verdicts.map(({ node, verdict, because }) => [node, paintState(verdict, output), because]),
  );
  output.line();
  if (plan.skips.length === 0) {
    output.line("No candidate was turned down.");
    return;
  }
  output.table(
    ["NOT MOVED", "FROM", "TO", "REASON", "BECAUSE"],
    plan.skips.map(({ workload, from, to, reason, because }) => [nameOf(workload), from, to ?? "any", reason, because]),
  );
}

/** What each move is expected to take, and what tells. */
function printCosts({ moves }: PublishedPlan, nameOf: (id: string) => string, output: Output): void {
  const rows = moves.flatMap(({ workload, cost }) => {
    if (cost === undefined) return [];
    const { dirtyBytesPerSecond: dirty, learnedFromMoves: count } = cost;
    const written = dirty === null ? UNKNOWN : `${bytes(dirty)}/s`;
    const told = count === 0 ? "its size and the link" : `${plural(count, "move")} of its own`;
    return [
      [
        nameOf(workload),
        cost.mode,
        bytes(cost.bytes),
        bytes(cost.fileBytes),
        duration(cost.seconds),
        duration(cost.blackoutSeconds),
        written,
        told,
        otherModes(cost),
      ],
    ];
  });
  if (rows.length === 0) return;
  output.line();
  output.table(
    ["MOVE", "EXPECTED MODE", "TO CARRY", "OF IT FILES", "TAKES", "BLACKOUT", "MEMORY WRITTEN", "TOLD BY", "BLACKOUT BY OTHER MODES"],
    rows,
  );
}
