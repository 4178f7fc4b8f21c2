import { execa } from "execa";
import type { Config } from "../../platform/config.js";

export type PowerHook = NonNullable<Config["scheduler"]["power"]>["wake"];

const TIMEOUT_SECONDS = 60;
const WORDS_KEPT = 300;

/**
 * Runs the command (without a shell) or makes the HTTP request that puts a node to sleep or wakes it; `{node}` in it is the node's id.
 * @throws what went wrong, in words, when it does not succeed within a minute.
 */
export async function runHook(hook: PowerHook, node: string): Promise<void> {
  const fill = (text: string) => text.replaceAll("{node}", node);
  if (hook.command !== undefined) {
    const [program, ...args] = hook.command.map(fill);
    const { failed, shortMessage, stderr } = (await execa(program!, args, {
      reject: false,
      timeout: TIMEOUT_SECONDS * 1000,
      env: { EVENKEEL_NODE: node },
    })) as { failed: boolean; shortMessage?: string; stderr?: string };
    if (failed) throw new Error(`${shortMessage ?? "it failed"} ${stderr ?? ""}`.trim().slice(0, WORDS_KEPT));
    return;
  }
  const response = await fetch(fill(hook.url!), {
    method: "POST",
    headers: { "content-type": "application/json", ...hook.headers },
    body: JSON.stringify({ node }),
    signal: AbortSignal.timeout(TIMEOUT_SECONDS * 1000),
  });
  if (!response.ok) throw new Error(`HTTP ${response.status} ${(await response.text()).slice(0, WORDS_KEPT)}`.trim());
}
