import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { MovingFleet } from "./moving-fleet.js";

/** Starts a node's executor anew with these settings of its own; `undefined` takes one away. */
export async function configureExecutor(moving: MovingFleet, name: string, executor: object): Promise<void> {
  const { lab } = moving.fleet;
  const path = join(lab.sharedDirectory, "etc", name, "config.json");
  const config = JSON.parse(await readFile(path, "utf8")) as { executor: object };
  await writeFile(path, JSON.stringify({ ...config, executor: { ...config.executor, ...executor } }));
  await lab.node(name).service("executor")!.kill("SIGTERM");
  await moving.startExecutor(name);
}
