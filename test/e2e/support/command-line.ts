import { execa } from "execa";
import type { Fleet } from "../../../lab/fleet/fleet.js";
import { projectPath } from "../../../platform/paths.js";

export interface Ended<T> {
  readonly code: number;
  readonly out: string;
  /** Of `--json`. */
  readonly answer: T;
}

/** Runs `evenkeel` against the fleet's scheduler, as an operator would. */
export async function evenkeel<T = unknown>(fleet: Fleet, ...args: string[]): Promise<Ended<T>> {
  const env = { EVENKEEL_URL: fleet.url!, EVENKEEL_TOKEN: fleet.settings.operatorToken };
  const { exitCode, stdout, stderr } = await execa(projectPath("bin/evenkeel"), args, { env, reject: false });
  const answer = args.includes("--json") && stdout !== "" ? (JSON.parse(stdout) as T) : (null as T);
  return { code: exitCode ?? -1, out: `${stdout}\n${stderr}`, answer };
}
