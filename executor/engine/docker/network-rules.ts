import { execFile, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { findProgram } from "../../../platform/find-program.js";
import { projectPath } from "../../../platform/paths.js";

const run = promisify(execFile);

/** Rules that silence a workload's network or let it speak again: the files of those names in executor/shim. */
export type Rules = "still" | "shut" | "speak";

/** Answered by nft itself, so that it follows on the answers to all that was asked before. */
const MARKER = "describe meta mark";
const MARKER_ANSWER = /\bmeta expression\b/;
/** Past this nft hangs. */
const ANSWER_MILLISECONDS = 5000;

/** Takes rules to the network namespace of one process, in a millisecond or two. */
export interface NetworkRules {
  /** Resolves when the kernel goes by them, with who has taken them there. @throws Error with nft's words */
  load(rules: Rules): Promise<"who waited" | "another">;
  close(): void;
}

/**
 * Starts an `nft` that waits in the network namespace of a process. `nft -f` in the freeze would take twenty milliseconds: it has to be started, and after it
 * has taken rules away the kernel lets it end only after a grace period of RCU (nft_rcv_nl_event closes its socket). One that cannot be had, or has ended, is made up for by that.
 */
export function openNetworkRules(pid: number): NetworkRules {
  const child = spawn(findProgram("nsenter"), ["-t", String(pid), "-n", "sh", "-c", "exec nft -i 2>&1"], {
    stdio: ["pipe", "pipe", "ignore"],
    // It would keep a history of what it was told in its home.
    env: { ...process.env, HOME: "/dev/null" },
  });
  let lines: string[] = [];
  let settle: ((answer: readonly string[] | null) => void) | null = null;
  let isOver = false;
  const answer = (words: readonly string[] | null) => {
    settle?.(words);
    settle = null;
    lines = [];
  };
  const end = () => {
    isOver = true;
    answer(null);
  };
  child.once("error", end);
  child.once("exit", end);
  // It may end before it has heard everything.
  child.stdin.on("error", end);
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (MARKER_ANSWER.test(line)) answer(lines);
    else lines.push(line);
  });
  const ask = async (rules: Rules): Promise<boolean> => {
    if (isOver) return false;
    const answered = new Promise<readonly string[] | null>((resolve) => {
      settle = resolve;
    });
    // What it has not done by then it must not do later.
    const timer = setTimeout(() => child.kill("SIGKILL"), ANSWER_MILLISECONDS);
    child.stdin.write(`include "${pathOf(rules)}"\n${MARKER}\n`);
    const words = await answered.finally(() => clearTimeout(timer));
    return words !== null && !words.some((line) => line.includes("Error"));
  };
  return {
    async load(rules) {
      if (await ask(rules)) return "who waited";
      await loadRules(pid, rules);
      return "another";
    },
    close: () => {
      child.stdin.end();
      child.unref();
      setTimeout(() => child.kill("SIGKILL"), ANSWER_MILLISECONDS).unref();
    },
  };
}

/** The same by a program of its own. @throws Error with nft's words */
export async function loadRules(pid: number, rules: Rules): Promise<void> {
  await run("nsenter", ["-t", String(pid), "-n", "nft", "-f", pathOf(rules)]);
}

const pathOf = (rules: Rules) => projectPath(`executor/shim/${rules}.nft`);
