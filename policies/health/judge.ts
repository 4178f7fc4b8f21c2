import type { NodeView } from "../fleet.js";
import type { HealthSign } from "../types.js";
import type { HealthConfig } from "./config.js";

/** The sign for which nothing new is placed on the node, the gravest first; null = none. */
export function whyDoubted(node: Pick<NodeView, "state">, config: HealthConfig): HealthSign | null {
  return whyEvacuated(node, config) ?? findSign(node, config, config.cordonOn);
}

/** The sign for which the node is to be emptied at once; null = none. */
export function whyEvacuated(node: Pick<NodeView, "state">, config: HealthConfig): HealthSign | null {
  return findSign(node, config, config.evacuateOn);
}

/** Signs of a node from which moves fail: its peers do not reach it, or its engine can note nothing. */
const HARDLY_LEFT: ReadonlySet<HealthSign["kind"]> = new Set(["peers-lost", "read-only-filesystem"]);

/** Whether an overload is to be taken off it although it is doubted: many a sign comes of the overload itself. */
export function mayBeRelieved(node: Pick<NodeView, "state">, config: HealthConfig): boolean {
  return whyEvacuated(node, config) === null && !node.state.health?.some(({ kind }) => HARDLY_LEFT.has(kind));
}

function findSign(node: Pick<NodeView, "state">, config: HealthConfig, kinds: HealthConfig["cordonOn"]): HealthSign | null {
  if (!config.enabled) return null;
  return node.state.health?.find(({ kind }) => kinds.includes(kind)) ?? null;
}
