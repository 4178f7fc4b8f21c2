import type { Command } from "commander";
import { EvenkeelError } from "../../../platform/errors.js";
import type { Answers, NodeAnswer, WorkloadAnswer } from "../../api-shapes.js";
import type { ApiClient } from "../api-client.js";
import { EXIT } from "../exit-codes.js";
import type { Output } from "../output.js";
import { type CommonOptions, runCommand, withCommonOptions } from "../run-command.js";
import { ago, bytes, cores } from "../words.js";

const SHORT_ID = 12;

export function addWorkloads(program: Command): void {
  const command = program.command("workloads").description("list the workloads: where they run, what they use");
  withCommonOptions(command)
    .option("--node <node>", "only those on this node")
    .action((options: CommonOptions & { node?: string }) =>
      runCommand(options, async ({ api, output }) => {
        const { workloads } = await api.ask<Answers["workloads"]>("GET", "/workloads");
        const shown = workloads.filter((workload) => options.node === undefined || runsOn(workload, options.node));
        // Of a node without any it matters which it is: there may be no such node, or a silent one.
        const node = shown.length > 0 || options.node === undefined ? null : await findNode(api, options.node);
        if (output.json) output.answer(shown);
        else if (shown.length > 0) printWorkloads(shown, output);
        else output.line(sayNone(node));
        return EXIT.ok;
      }),
    );
}

/** A copy that nothing explains runs there as well. */
function runsOn({ node, conflict }: WorkloadAnswer, wanted: string): boolean {
  return node === wanted || conflict.includes(wanted);
}

/** @throws NODE_NOT_FOUND */
async function findNode(api: ApiClient, wanted: string): Promise<NodeAnswer> {
  const { nodes } = await api.ask<Answers["nodes"]>("GET", "/nodes");
  const node = nodes.find(({ id }) => id === wanted);
  if (node === undefined) throw new EvenkeelError("NODE_NOT_FOUND", wanted);
  return node;
}

function printWorkloads(workloads: readonly WorkloadAnswer[], output: Output): void {
  const now = Date.now() / 1000;
  output.table(
    ["WORKLOAD", "ID", "NODE", "CORES", "MEMORY", "MODE", "LAST MOVED", "REMARK"],
    workloads.map((workload) => [
      workload.name,
      workload.id.slice(0, SHORT_ID),
      workload.node,
      cores(workload.cpuUsedCores),
      bytes(workload.memoryUsedBytes),
      workload.constraints.mode,
      ago(workload.lastMovedAt, now),
      remark(workload, output),
    ]),
  );
}

function sayNone(node: NodeAnswer | null): string {
  return node?.workloads === null ? `${node.id} is silent: what runs there is not known.` : "No workload runs there.";
}

function remark(workload: WorkloadAnswer, { paint }: Output): string {
  if (workload.conflict.length > 0) return paint("red", `runs on ${workload.conflict.join(" and ")}: stop all but one`);
  if (workload.migration !== null) return paint("cyan", `moving (${workload.migration})`);
  if (workload.state === "silent") return paint("red", "its node is silent: last known there");
  return workload.state === "running" ? "" : workload.state;
}
