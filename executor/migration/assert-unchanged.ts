import { isDeepStrictEqual } from "node:util";
import { EvenkeelError } from "../../platform/errors.js";
import type { WorkloadDescription } from "../engine/engine.js";
import type { Surroundings } from "./migration.js";

/** What the twin was made from. Of the rest, an image may get a new name at any time. */
const MADE_FROM = [
  "name",
  "status",
  "imageId",
  "networks",
  "sharedNetwork",
  "sharedIpc",
  "volumes",
  "folders",
  "allowsCold",
  "engineConfig",
] as const;

/**
 * Whether the workload is still what its twin was made from: bringing its files may have taken hours, and an operator may have given it another limit or
 * network, or a side-car. @throws WORKLOAD_CHANGED
 */
export async function assertUnchanged({ engine }: Surroundings, before: WorkloadDescription): Promise<void> {
  const now = await engine.describe(before.containerId);
  const changed = MADE_FROM.filter((part) => !isDeepStrictEqual(now[part], before[part]));
  if (changed.length > 0) throw new EvenkeelError("WORKLOAD_CHANGED", `${before.name}: ${changed.join(", ")}`);
}
