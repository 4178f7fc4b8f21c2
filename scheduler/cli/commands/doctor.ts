import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Command } from "commander";
import { EvenkeelError } from "../../../platform/errors.js";
import { blockersAmong, type Check } from "../../../platform/findings.js";
import { projectPath } from "../../../platform/paths.js";
import type { DoctorAnswer } from "../../api-shapes.js";
import { EXIT } from "../exit-codes.js";
import type { Output } from "../output.js";
import { type CommonOptions, runCommand, withCommonOptions } from "../run-command.js";
import { plural } from "../words.js";
import { paintStatus, printCures } from "./findings.js";

interface DoctorOptions extends CommonOptions {
  readonly local?: boolean;
  readonly all?: boolean;
}

type ExaminedNode = Pick<DoctorAnswer["nodes"][number], "node" | "checks">;

/** Nodes that are short of room in a terminal if each shows all that is well. */
const NODES_IN_FULL = 3;
const TIMEOUT_SECONDS = 45;

export function addDoctor(program: Command): void {
  const command = program.command("doctor").argument("[nodes...]", "which; default: all, and every pair of them");
  withCommonOptions(command)
    .description("look for everything that could stand in the way of moves, on nodes and between them, and say what to do")
    .option("--local", "this machine alone, as root, before anything of Evenkeel runs (no scheduler needed)")
    .option("--all", `show what is well too, also with more than ${NODES_IN_FULL} nodes`)
    .addHelpText(
      "after",
      "\nExit code 4 when a check failed.\n\nExamples:\n  evenkeel doctor\n  evenkeel doctor n1 n2\n  sudo evenkeel doctor --local",
    )
    .action((nodes: string[], options: DoctorOptions) =>
      runCommand(options, async ({ api, output }) => {
        if (options.local === true) return reportLocal(nodes, output);
        const body = nodes.length === 0 ? {} : { nodes };
        const answer = await api.ask<DoctorAnswer>("POST", "/doctor", body, TIMEOUT_SECONDS);
        if (output.json) output.answer(answer);
        else printFleet(answer, options.all === true, output);
        const isBlocked = answer.pairs.some(({ findings }) => blockersAmong(findings).length > 0);
        return isBlocked || answer.nodes.some(hasFailed) ? EXIT.refused : EXIT.ok;
      }),
    );
}

const hasFailed = ({ checks }: { readonly checks: readonly Check[] }) => checks.some(({ status }) => status === "fail");

async function reportLocal(nodes: readonly string[], output: Output): Promise<number> {
  if (nodes.length > 0) throw new EvenkeelError("INPUT_INVALID", "--local looks at this machine only: leave the nodes out");
  if (process.getuid?.() !== 0) throw new EvenkeelError("INPUT_INVALID", "--local needs root: CRIU and Docker answer nobody else");
  const report = JSON.parse(await examineHere()) as ExaminedNode;
  if (output.json) output.answer(report);
  else {
    printNode(report, true, output);
    printCures(
      report.checks.flatMap((check) => (check.status === "ok" ? [] : [check.finding])),
      output,
    );
  }
  return hasFailed(report) ? EXIT.refused : EXIT.ok;
}

/** The checks are the executor's; a program of its own, since no part reaches into another. */
async function examineHere(): Promise<string> {
  try {
    return (await promisify(execFile)(process.execPath, [projectPath("dist/executor/doctor/main.js")])).stdout;
  } catch (error) {
    const words = (error as { stderr?: string }).stderr?.trim() || String(error);
    throw new EvenkeelError("CONFIG_INVALID", words, { cause: error });
  }
}

function printFleet({ nodes, pairs, pairsInAll }: DoctorAnswer, all: boolean, output: Output): void {
  if (nodes.length === 0) {
    output.line("No node has reported yet. On each node: `evenkeel doctor --local`, then start its collector and executor.");
    return;
  }
  for (const report of nodes) {
    printNode(report, all || nodes.length <= NODES_IN_FULL, output);
    output.line(report.modes.length === 0 ? "Nothing can be moved from or to it.\n" : `Ways to move memory: ${report.modes.join(", ")}.\n`);
  }
  printPairs(pairs, pairsInAll, output);
  const ofNodes = nodes.flatMap(({ checks }) => checks.flatMap((check) => (check.status === "ok" ? [] : [check.finding])));
  printCures([...ofNodes, ...pairs.flatMap(({ findings }) => findings)], output);
}

function printNode({ node, checks }: ExaminedNode, all: boolean, output: Output): void {
  const count = (status: Check["status"]) => checks.filter((check) => check.status === status).length;
  output.line(output.paint("bold", `${node}: ${count("ok")} ok, ${plural(count("warn"), "warning")}, ${count("fail")} failed`));
  const shown = checks.filter(({ status }) => all || status !== "ok");
  if (shown.length === 0) return;
  output.table(
    ["", "CHECK", "FOUND", "CODE"],
    shown.map((check) => [
      paintStatus(check.status, output),
      check.topic,
      check.status === "ok" ? check.found : check.finding.message,
      check.status === "ok" ? "" : check.finding.code,
    ]),
  );
}

function printPairs(pairs: DoctorAnswer["pairs"], pairsInAll: number, output: Output): void {
  if (pairs.length === 0) return;
  const good = pairs.filter(({ findings }) => blockersAmong(findings).length === 0).length;
  const rest =
    pairs.length < pairsInAll ? ` (of ${pairsInAll}; each node is compared with some others only, name nodes for all of theirs)` : "";
  output.line(output.paint("bold", `${good} of ${pairs.length} ways between nodes are clear${rest}`));
  const rows = pairs.flatMap(({ from, to, findings }) =>
    findings.map(({ code, severity, message }) => [paintStatus(severity, output), `${from} -> ${to}`, message, code]),
  );
  if (rows.length > 0) output.table(["", "WAY", "FOUND", "CODE"], rows);
  output.line();
}
