import type { ApprovalAnswer, CordonAnswer, MaintenanceAnswer, PauseAnswer } from "../../api-shapes.js";
import { plural } from "../../cli/words.js";
import { ask } from "./ask.js";

export type OperatorAction =
  | { readonly kind: "drain" | "cordon" | "uncordon"; readonly node: string }
  /** `departed`: how many workloads have left it for the drain. */
  | { readonly kind: "undrain"; readonly node: string; readonly departed: number }
  | { readonly kind: "approve"; readonly moves: readonly { readonly workload: string; readonly to: string }[] }
  | { readonly kind: "sleep"; readonly node: string }
  | { readonly kind: "pause" | "resume" };

export interface ActionForm {
  readonly token: string;
  readonly reason: string;
  readonly deadlineMinutes: string;
  readonly bringHome: boolean;
}

export function describeAction(action: OperatorAction): { title: string; explanation: string; button: string } {
  switch (action.kind) {
    case "drain":
      return {
        title: `Drain ${action.node}`,
        explanation:
          "Nothing new is placed there, and all that runs there moves to other nodes. Nothing is stopped, and no connection closed, but where a workload's own label allows it; the plan says of which.",
        button: "Drain",
      };
    case "undrain":
      return { title: `Return ${action.node} to service`, explanation: "The node takes workloads again.", button: "Return to service" };
    case "cordon":
      return { title: `Cordon ${action.node}`, explanation: "Nothing new is placed there. What runs there stays.", button: "Cordon" };
    case "uncordon":
      return { title: `Uncordon ${action.node}`, explanation: "The node takes workloads again.", button: "Uncordon" };
    case "approve":
      return {
        title: `Make ${action.moves.length === 1 ? "the planned move" : `the ${action.moves.length} planned moves`}`,
        explanation: "The plan is made anew first: what is no longer called for is left out.",
        button: action.moves.length === 1 ? "Make it" : "Make them",
      };
    case "pause":
      return {
        title: "Pause the fleet",
        explanation:
          "Nothing is moved but what operators ask for, whatever the mode. Moves that have not frozen anything yet are called off.",
        button: "Pause",
      };
    case "resume":
      return { title: "Resume", explanation: "The mode says again what is done.", button: "Resume" };
    case "sleep":
      return {
        title: `Put ${action.node} to sleep`,
        explanation: "The plan is made anew first. The node is woken before it is needed, without being asked for.",
        button: "Put to sleep",
      };
  }
}

/** @returns what the operator should still know; null when all is as asked. @throws Refusal */
export async function performAction(action: OperatorAction, form: ActionForm): Promise<string | null> {
  switch (action.kind) {
    case "drain": {
      const body = {
        ...reasonIn(form),
        ...(form.deadlineMinutes === "" ? {} : { deadlineSeconds: Number(form.deadlineMinutes) * 60 }),
      };
      await ask<MaintenanceAnswer>("PUT", pathOf(action.node, "maintenance"), body, form.token);
      return null;
    }
    case "undrain":
      return undrain(action, form);
    case "pause":
      await ask<PauseAnswer>("PUT", "/pause", reasonIn(form), form.token);
      return null;
    case "resume":
      await ask<PauseAnswer>("DELETE", "/pause", undefined, form.token);
      return null;
    case "cordon": {
      const body = reasonIn(form);
      await ask<CordonAnswer>("PUT", pathOf(action.node, "cordon"), body, form.token);
      return null;
    }
    case "uncordon": {
      const { stillAskedForBy } = await ask<CordonAnswer>("DELETE", pathOf(action.node, "cordon"), undefined, form.token);
      return stillAskedForBy.length === 0
        ? null
        : `The flag is lifted, but ${sayWho(stillAskedForBy)} still asks for the cordon, so it stays.`;
    }
    case "approve": {
      const { dropped } = await ask<ApprovalAnswer>("POST", "/plan/approve", { moves: action.moves }, form.token);
      return dropped.length === 0
        ? null
        : `${dropped.length} of them are not called for any more, or may not be moved now, and were left out.`;
    }
    case "sleep": {
      const power = [{ node: action.node, to: "sleep" }];
      const { powerDropped } = await ask<ApprovalAnswer>("POST", "/plan/approve", { power }, form.token);
      return powerDropped.length === 0 ? null : `It stays awake: ${powerDropped[0]!.because}.`;
    }
  }
}

async function undrain({ node, departed }: OperatorAction & { kind: "undrain" }, { bringHome, token }: ActionForm): Promise<string | null> {
  const path = `${pathOf(node, "maintenance")}${bringHome ? "?bringHome=true" : ""}`;
  const { stillAskedForBy, comingHome, cordon } = await ask<MaintenanceAnswer>("DELETE", path, undefined, token);
  const said: string[] = [];
  if (stillAskedForBy.length > 0)
    said.push(`The flag is lifted, but ${sayWho(stillAskedForBy)} still asks for maintenance, so the node stays as it is.`);
  if (cordon.length > 0) said.push("The node is still cordoned, and gets nothing new.");
  if (bringHome && comingHome.length < departed)
    said.push(`${plural(comingHome.length, "workload")} will come home; the others have been moved since, or are gone.`);
  return said.length === 0 ? null : said.join(" ");
}

function reasonIn({ reason }: ActionForm): { readonly reason?: string } {
  return reason.trim() === "" ? {} : { reason };
}

function pathOf(node: string, what: "maintenance" | "cordon"): string {
  return `/nodes/${encodeURIComponent(node)}/${what}`;
}

function sayWho(requests: readonly { readonly source: string; readonly reason: string }[]): string {
  return requests.map(({ source, reason }) => `a ${source} (${reason})`).join(" and ");
}
