import { execa } from "execa";
import { projectPath } from "../platform/paths.js";

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export interface ExecOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly cwd?: string;
  readonly timeoutSeconds?: number;
  /** True: a non-zero end throws (the default). */
  readonly reject?: boolean;
}

export const ENTER = projectPath("lab/scripts/enter.sh");

/** What a process in a machine finds in its environment: nothing of the host's. */
export function environment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root", LANG: "C.UTF-8", ...extra };
}

/** Arguments of enter.sh for a command in the machine (or fabric) of that folder. */
export function entered(folder: string, command: readonly string[], cwd?: string): string[] {
  return [folder, ...(cwd === undefined ? [] : ["env", `--chdir=${cwd}`]), ...command];
}

/** Runs a command in the machine (or fabric) of that folder to its end. */
export async function execIn(
  folder: string,
  command: readonly string[],
  { env, input, cwd, timeoutSeconds, reject = true }: ExecOptions = {},
): Promise<Output> {
  const result = await execa(ENTER, entered(folder, command, cwd), {
    extendEnv: false,
    env: environment(env),
    ...(input === undefined ? { stdin: "ignore" } : { input }),
    ...(timeoutSeconds === undefined ? {} : { timeout: timeoutSeconds * 1000 }),
    reject,
  });
  return { stdout: result.stdout ?? "", stderr: result.stderr ?? "", exitCode: result.exitCode ?? 255 };
}
