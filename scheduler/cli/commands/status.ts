import type { Command } from "commander";
import type { Answers, StatusAnswer } from "../../api-shapes.js";
import { EXIT } from "../exit-codes.js";
import { type CommonOptions, runCommand, withCommonOptions } from "../run-command.js";
import { ago, percent, plural } from "../words.js";

export function addStatus(program: Command): void {
  const command = program.command("status").description("who leads, in which mode, how level the fleet is");
  withCommonOptions(command).action((options: CommonOptions) =>
    runCommand(options, async ({ api, output }) => {
      const status = await api.ask<StatusAnswer>("GET", "/status");
      if (output.json) {
        output.answer(status);
        return EXIT.ok;
      }
      const { leader, openWindows } = status;
      output.line(
        leader.holder === null ? output.paint("red", "Nobody leads.") : `Leader ${leader.url ?? leader.holder}, term ${leader.term}`,
      );
      output.line(`Mode ${status.mode}, a tick every ${status.tickSeconds} s, newest plan ${ago(status.planAt, Date.now() / 1000)}`);
      if (status.pause !== null) {
        output.line(
          output.paint("yellow", `Paused ${ago(status.pause.since, Date.now() / 1000)} (${status.pause.reason}): evenkeel resume`),
        );
      }
      const states = Object.entries(status.nodes).filter(([, count]) => count > 0);
      output.line(
        `Nodes: ${states.map(([state, count]) => `${count} ${state}`).join(", ") || "none has reported"}${status.cordoned === 0 ? "" : `; ${status.cordoned} cordoned`}`,
      );
      output.line(`${plural(status.workloads, "workload")}, ${plural(status.migrationsOpen, "open migration")}`);
      output.line(`Imbalance (standard deviation of CPU): ${percent(status.imbalance)}`);
      for (const { action, node, until } of openWindows) {
        output.line(`Window open: ${action} ${node ?? "everywhere"} until ${new Date(until * 1000).toISOString()}`);
      }
      for (const { url, leads, differs } of status.schedulers) {
        if (differs) output.line(output.paint("yellow", `${url} decides by other settings: give all schedulers the same file`));
        else if (!leads) output.line(`Standing by: ${url}`);
      }
      if (status.policies.refused !== null) {
        output.line(output.paint("red", `The changed configuration is refused, the old settings stay: ${status.policies.refused}`));
      }
      return EXIT.ok;
    }),
  );
}

export function addAudit(program: Command): void {
  const command = program.command("audit").description("what was decided, refused, asked for and done, newest first");
  withCommonOptions(command)
    .option("--limit <count>", "how many entries", "50")
    .action((options: CommonOptions & { limit: string }) =>
      runCommand(options, async ({ api, output }) => {
        const { entries } = await api.ask<Answers["audit"]>("GET", `/audit?limit=${encodeURIComponent(options.limit)}`);
        if (output.json) output.answer(entries);
        else {
          output.table(
            ["TIME", "WHAT", "WHO", "ABOUT", "DETAIL"],
            entries.map(({ at, kind, actor, node, workload, migration, detail }) => [
              new Date(at * 1000).toISOString(),
              kind,
              actor ?? "",
              node ?? migration ?? workload ?? "",
              detail,
            ]),
          );
        }
        return EXIT.ok;
      }),
    );
}
