import { listenForStage } from "./moments.js";
import type { MovingFleet } from "./moving-fleet.js";

/** Begins migrations, kills the node's executor as soon as one of them comes to the stage, and starts its successor. Returns what `begin` gave. */
export async function killedAt<T>(moving: MovingFleet, stage: string, node: string, begin: () => Promise<T>): Promise<T> {
  const moment = await listenForStage(moving.fleet, stage);
  const begun = await begin();
  await moment.reached;
  moment.close();
  await moving.fleet.lab.node(node).service("executor")!.kill("SIGKILL");
  await moving.startExecutor(node);
  return begun;
}
