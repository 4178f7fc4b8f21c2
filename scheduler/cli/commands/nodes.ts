import type { Command } from "commander";
import type { Answers, NodeAnswer } from "../../api-shapes.js";
import { EXIT } from "../exit-codes.js";
import type { Output } from "../output.js";
import { type CommonOptions, runCommand, withCommonOptions } from "../run-command.js";
import { ago, bytes, percent, UNKNOWN } from "../words.js";

export function addNodes(program: Command): void {
  const command = program.command("nodes").description("list the nodes: load, workloads, state, maintenance");
  withCommonOptions(command).action((options: CommonOptions) =>
    runCommand(options, async ({ api, output }) => {
      const { nodes } = await api.ask<Answers["nodes"]>("GET", "/nodes");
      if (output.json) output.answer(nodes);
      else printNodes(nodes, output);
      return EXIT.ok;
    }),
  );
}

function printNodes(nodes: readonly NodeAnswer[], output: Output): void {
  if (nodes.length === 0) {
    output.line("No node has reported yet: start a collector on each.");
    return;
  }
  const now = Date.now() / 1000;
  output.table(
    ["NODE", "STATE", "CPU", "MEMORY", "OF", "WORKLOADS", "SEEN", "WHY"],
    nodes.map((node) => [
      node.id,
      `${paintState(node.state, output)}${node.cordon.length === 0 ? "" : output.paint("yellow", ", cordoned")}`,
      percent(node.cpuRatio),
      percent(node.memoryRatio),
      bytes(node.memoryCapacityBytes),
      node.workloads === null ? UNKNOWN : String(node.workloads),
      ago(node.lastSeenAt, now),
      node.because,
    ]),
  );
}

export function paintState(state: string, { paint }: Output): string {
  if (state === "level") return paint("green", state);
  if (state === "overloaded" || state === "unknown") return paint("red", state);
  return paint(state === "drained" ? "cyan" : "yellow", state);
}
