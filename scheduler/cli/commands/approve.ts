import type { Command } from "commander";
import { EvenkeelError } from "../../../platform/errors.js";
import type { Answers, ApprovalAnswer, WorkloadAnswer } from "../../api-shapes.js";
import { namedBy } from "../../name-workloads.js";
import type { PublishedPlan } from "../../plan-store.js";
import { EXIT } from "../exit-codes.js";
import type { Output } from "../output.js";
import { type CommonOptions, runCommand, withCommonOptions } from "../run-command.js";

export function addApprove(program: Command): void {
  const command = program
    .command("approve")
    .argument("[names...]", "only the moves of these workloads, and the sleep of these nodes; default: all");
  withCommonOptions(command)
    .description("make the moves, and put the nodes to sleep, that mode approve or observe holds back (decided anew first)")
    .addHelpText("after", "\nExamples:\n  evenkeel plan --explain && evenkeel approve\n  evenkeel approve web db\n  evenkeel approve n3")
    .action((wanted: string[], options: CommonOptions) =>
      runCommand(options, async ({ api, output }) => {
        const [{ plan }, { workloads }] = await Promise.all([
          api.ask<Answers["plan"]>("GET", "/plan"),
          api.ask<Answers["workloads"]>("GET", "/workloads"),
        ]);
        const names = new Map(workloads.map(({ id, name }) => [id, name]));
        const heldMoves = (plan?.moves ?? []).filter(({ heldBack }) => heldBack !== null);
        const heldPower = (plan?.power ?? []).filter(({ heldBack }) => heldBack !== null);
        const isAll = wanted.length === 0;
        const named = new Set(wanted.flatMap((word) => heldBackBy(word, heldMoves, heldPower, workloads)));
        const moves = heldMoves.filter(({ workload }) => isAll || named.has(workload));
        const power = heldPower.filter(({ node }) => isAll || wanted.includes(node));
        const body = {
          moves: moves.map(({ workload, to }) => ({ workload, to })),
          power: power.map(({ node, to }) => ({ node, to })),
        };
        const isNothing = moves.length + power.length === 0;
        const answer: ApprovalAnswer = isNothing
          ? { started: [], moves: [], dropped: [], power: [], powerDropped: [] }
          : await api.ask<ApprovalAnswer>("POST", "/plan/approve", body);
        if (output.json) output.answer(answer);
        else if (isNothing) output.line("Nothing was held back.");
        else printApproval(answer, names, output);
        return EXIT.ok;
      }),
    );
}

/** Workloads that a word names, of those whose moves are held back. @throws INPUT_INVALID when it names no node either, WORKLOAD_AMBIGUOUS. */
function heldBackBy(
  word: string,
  moves: PublishedPlan["moves"],
  power: PublishedPlan["power"],
  workloads: readonly WorkloadAnswer[],
): readonly string[] {
  const known = new Map(workloads.map((workload) => [workload.id, workload]));
  const held = moves.map(({ workload: id }) => known.get(id) ?? { id, name: id, containerId: id });
  const fitting = namedBy(held, word, (workload) => workload);
  if (fitting.length === 0 && !power.some(({ node }) => node === word)) {
    throw new EvenkeelError("INPUT_INVALID", `nothing of ${word} is held back: evenkeel plan`);
  }
  // Of one name there may be several, and all are meant; the beginning of an id is one's own.
  if (fitting.length > 1 && fitting.some(({ name }) => name !== word)) {
    throw new EvenkeelError("WORKLOAD_AMBIGUOUS", `${word} is ${fitting.map(({ id }) => id).join(", ")}`);
  }
  return fitting.map(({ id }) => id);
}

function printApproval(
  { started, moves, dropped, power, powerDropped }: ApprovalAnswer,
  names: ReadonlyMap<string, string>,
  output: Output,
): void {
  if (started.length > 0) output.line(`Started ${started.join(", ")}.`);
  for (const { workload, to, because } of moves) output.line(`${names.get(workload) ?? workload} to ${to}: ${because}`);
  for (const { workload, to, because } of dropped) output.line(`${names.get(workload) ?? workload} is not moved to ${to}: ${because}.`);
  for (const { node, to } of power) output.line(to === "sleep" ? `${node} is being put to sleep.` : `${node} is being woken.`);
  for (const { node, to, because } of powerDropped) output.line(`${node} is not ${to === "sleep" ? "put to sleep" : "woken"}: ${because}.`);
}
