import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { asEvenkeelError, EvenkeelError } from "../../platform/errors.js";
import { type ApiClient, makeApiClient } from "./api-client.js";
import { exitCodeOf } from "./exit-codes.js";
import { makeOutput, type Output } from "./output.js";

const DEFAULT_URL = "http://127.0.0.1:8080";
const DEFAULT_TOKEN_FILE = "/etc/evenkeel/token";

export interface CommonOptions {
  readonly json?: boolean;
  readonly url?: string;
  readonly token?: string;
  readonly tokenFile?: string;
}

/** What a command's own code gets. Its result is the exit code. */
export interface Session {
  readonly api: ApiClient;
  readonly output: Output;
}

/** Options that every command which talks to the scheduler has. */
export function withCommonOptions(command: Command): Command {
  return command
    .option("--json", "print the answer as JSON")
    .option("--url <url>", `the scheduler's address (EVENKEEL_URL, default ${DEFAULT_URL})`)
    .option("--token <token>", "the operators' token (EVENKEEL_TOKEN; safer: a file)")
    .option("--token-file <path>", `file that holds it (EVENKEEL_TOKEN_FILE, default ${DEFAULT_TOKEN_FILE})`);
}

export async function runCommand(options: CommonOptions, work: (session: Session) => Promise<number>): Promise<void> {
  const output = makeOutput(options.json === true);
  try {
    const api = makeApiClient(readUrl(options), readToken(options));
    process.exitCode = await work({ api, output });
  } catch (thrown) {
    output.endProgress();
    const error = asEvenkeelError(thrown);
    process.stderr.write(output.json ? `${JSON.stringify({ error: error.toJSON() })}\n` : `evenkeel: ${error.message}\n${error.hint}\n`);
    process.exitCode = exitCodeOf(error.code);
  }
}

function readUrl({ url = process.env["EVENKEEL_URL"] ?? DEFAULT_URL }: CommonOptions): string {
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) throw new EvenkeelError("INPUT_INVALID", `"${url}" is not an http(s) URL`);
  return url;
}

function readToken(options: CommonOptions): string | undefined {
  const given = options.token ?? (options.tokenFile === undefined ? process.env["EVENKEEL_TOKEN"] : undefined);
  if (given !== undefined && given !== "") return given;
  const named = options.tokenFile ?? process.env["EVENKEEL_TOKEN_FILE"];
  try {
    return readFileSync(named ?? DEFAULT_TOKEN_FILE, "utf8").trim();
  } catch (error) {
    // Reading needs no token; a change without one is refused by the scheduler, which says what to do.
    if (named === undefined) return undefined;
    throw new EvenkeelError("INPUT_INVALID", `the token file cannot be read: ${(error as Error).message}`);
  }
}
