import { readdir } from "node:fs/promises";
import type { Surroundings } from "./migration.js";

/** Ids of the migrations of which this node still holds something as a source: what it must give back, a frozen workload, images. */
export async function findLeftBehind({
  runDirectory,
  stateDirectory,
}: Pick<Surroundings, "runDirectory" | "stateDirectory">): Promise<string[]> {
  const list = (folder: string) => readdir(folder).catch((): string[] => []);
  const [folders, descriptions] = await Promise.all([list(`${runDirectory}/out`), list(`${stateDirectory}/leaving`)]);
  const described = descriptions.flatMap((name) => (name.endsWith(".json") ? [name.slice(0, -".json".length)] : []));
  return [...new Set([...folders, ...described])];
}
