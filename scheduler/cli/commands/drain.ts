import type { Command } from "commander";
import type { Answers, ForgetAnswer, MaintenanceAnswer } from "../../api-shapes.js";
import type { DrainReport } from "../../fleet/drain-report.js";
import { EXIT } from "../exit-codes.js";
import type { Output } from "../output.js";
import { type CommonOptions, runCommand, withCommonOptions } from "../run-command.js";
import { waitUntil } from "../wait-until.js";
import { duration, plural } from "../words.js";
import { readDuration } from "./migrate.js";

interface DrainOptions extends CommonOptions {
  readonly deadline?: string;
  readonly reason?: string;
  readonly wait?: boolean;
  readonly timeout?: string;
}

export function addDrain(program: Command): void {
  const command = program.command("drain").argument("<node>");
  withCommonOptions(command)
    .description("set the maintenance flag: nothing new comes, all that runs there moves away, in any mode")
    .option("--deadline <duration>", "by when it should be empty (90s, 10m, 1h); what is left then is reported, never killed")
    .option("--reason <text>", "shown to everyone who looks")
    .option("--wait", "stay until it is empty, showing what is left and why")
    .option("--timeout <duration>", "with --wait: give up watching after this long")
    .addHelpText("after", '\nExamples:\n  evenkeel drain n2 --deadline 10m --reason "new disk" --wait && ssh n2 reboot')
    .action((node: string, options: DrainOptions) =>
      runCommand(options, async ({ api, output }) => {
        const deadlineSeconds = readDuration(options.deadline, "--deadline");
        const timeoutSeconds = readDuration(options.timeout, "--timeout");
        const path = `/nodes/${encodeURIComponent(node)}/maintenance`;
        const body = {
          ...(deadlineSeconds === null ? {} : { deadlineSeconds }),
          ...(options.reason === undefined ? {} : { reason: options.reason }),
        };
        const { drain } = await api.ask<MaintenanceAnswer>("PUT", path, body);
        if (options.wait !== true) {
          if (output.json) output.answer(drain);
          else printDrain(drain, output);
          return EXIT.ok;
        }
        const ask = async () => {
          const answer = await api.ask<Answers["drain"]>("GET", `/drains/${encodeURIComponent(node)}`);
          output.progress(summarise(answer.drain));
          return answer.drain;
        };
        const isOver = ({ state, deadlinePassed }: DrainReport) => state === "drained" || state === "in-service" || deadlinePassed;
        const { answer } = await waitUntil(ask, isOver, timeoutSeconds);
        output.endProgress();
        if (output.json) output.answer(answer);
        else printDrain(answer, output);
        if (answer.state === "in-service") return EXIT.failed;
        return answer.state === "drained" ? EXIT.ok : EXIT.timedOut;
      }),
    );
}

export function addUndrain(program: Command): void {
  const command = program.command("undrain").argument("<node>").description("lift the maintenance flag: the node takes workloads again");
  withCommonOptions(command)
    .option("--bring-home", "and bring back what left it for the drain, as far as there is room")
    .action((node: string, options: CommonOptions & { readonly bringHome?: boolean }) =>
      runCommand(options, async ({ api, output }) => {
        const answer = await api.ask<MaintenanceAnswer>(
          "DELETE",
          `/nodes/${encodeURIComponent(node)}/maintenance${options.bringHome ? "?bringHome=true" : ""}`,
        );
        if (output.json) output.answer(answer);
        else if (answer.stillAskedForBy.length === 0) {
          const home = answer.comingHome.length === 0 ? "" : ` ${plural(answer.comingHome.length, "workload")} will come home.`;
          output.line(`${node} is in service.${home}`);
        }
        for (const { source, reason } of output.json ? [] : answer.stillAskedForBy) {
          output.line(output.paint("yellow", `${node} stays under maintenance: a ${source} still asks for it (${reason}).`));
        }
        for (const { reason } of output.json ? [] : answer.cordon) {
          output.line(output.paint("yellow", `${node} is still cordoned (${reason}), and gets nothing new: evenkeel uncordon ${node}`));
        }
        return answer.stillAskedForBy.length === 0 ? EXIT.ok : EXIT.refused;
      }),
    );
}

export function addForget(program: Command): void {
  const command = program.command("forget").argument("<node>").description("drop a node that will not come back from every list");
  withCommonOptions(command).action((node: string, options: CommonOptions) =>
    runCommand(options, async ({ api, output }) => {
      const answer = await api.ask<ForgetAnswer>("DELETE", `/nodes/${encodeURIComponent(node)}`);
      if (output.json) output.answer(answer);
      else {
        output.line(`${node} is forgotten.`);
        for (const id of answer.settled) output.line(`${id}, which it had left open, is closed: evenkeel migrations ${id}`);
      }
      return EXIT.ok;
    }),
  );
}

function summarise(drain: DrainReport): string {
  if (drain.state === "unknown") return `${drain.node}: ${drain.moved} moved; it is silent, and what is left is not known`;
  const total = drain.moved + drain.remaining.length;
  const eta = drain.expectedEmptyAt === null ? "" : `, about ${duration(Math.max(0, drain.expectedEmptyAt - Date.now() / 1000))} to go`;
  const moving = drain.remaining.filter(({ status }) => status === "moving").map(({ name, because }) => `${name} ${because}`);
  const blocked = drain.remaining.filter(({ status }) => status === "blocked").length;
  return [
    `${drain.node}: ${drain.moved} of ${total} moved${drain.remaining.length === 0 ? "" : eta}`,
    ...(moving.length === 0 ? [] : [`moving ${moving.join(", ")}`]),
    ...(blocked === 0 ? [] : [`${blocked} cannot move`]),
    ...(drain.state === "draining" && drain.remaining.length === 0 ? ["a sample that shows it empty is waited for"] : []),
  ].join("; ");
}

function printDrain(drain: DrainReport, output: Output): void {
  const { paint } = output;
  if (drain.state === "drained") {
    output.line(paint("green", `${drain.node} is drained: nothing runs there.`));
    return;
  }
  if (drain.state === "in-service") {
    output.line(paint("red", `${drain.node} is in service: its maintenance flag was lifted.`));
    return;
  }
  const late = drain.deadlinePassed ? paint("red", "; its deadline has passed") : "";
  if (drain.remaining.length === 0 && drain.state === "draining") {
    output.line(
      `${drain.node} is draining: nothing is known to be left${late}. A sample from now on, or the end of a move to it, will tell.`,
    );
    return;
  }
  const left = plural(drain.remaining.length, "workload");
  if (drain.state === "unknown") {
    const known = drain.remaining.length === 0 ? "" : `; when it was last heard ${left} had not left`;
    output.line(`${paint("red", `${drain.node} is silent: what runs there cannot be known`)}${known}${late}.`);
  } else output.line(`${drain.node} is draining: ${left} left${late}.`);
  if (drain.remaining.length === 0) return;
  output.table(
    ["LEFT", "STATUS", "BECAUSE"],
    drain.remaining.map(({ name, status, because }) => [name, status === "blocked" ? paint("red", status) : status, because]),
  );
}
