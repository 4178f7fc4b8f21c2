import { setTimeout as delay } from "node:timers/promises";
import { monotonicSeconds } from "../../channel/events.js";
import { inspect } from "./describe.js";
import type { DockerHost } from "./docker-host.js";

const LOOK_MILLISECONDS = 25;
/** Docker's own default, for a check that has no timeout. */
const TIMEOUT_SECONDS = 30;
const DEFAULT_SHELL = ["/bin/sh", "-c"];

interface Session {
  readonly Running: boolean;
  readonly ProcessConfig: { readonly entrypoint: string; readonly arguments?: readonly string[] | null };
}

interface Checked {
  readonly ExecIDs?: readonly string[] | null;
  readonly Config: {
    readonly Healthcheck?: { readonly Test?: readonly string[] | null; readonly Timeout?: number } | null;
    readonly Shell?: readonly string[] | null;
  };
}

/** The command that Docker runs in the container for a check; null = it makes none. */
export function commandOfCheck({ Healthcheck, Shell }: Checked["Config"]): string[] | null {
  const [kind, ...words] = Healthcheck?.Test ?? [];
  if (kind === "CMD") return words;
  return kind === "CMD-SHELL" ? [...(Shell && Shell.length > 0 ? Shell : DEFAULT_SHELL), ...words] : null;
}

/**
 * Waits for a health check under way to end: a process of Docker's in the container is in no tree that could be moved. Sessions of a user are not
 * waited for. Returns whether any session is left, at the latest when the check should have timed out.
 */
export async function waitForHealthCheck(host: DockerHost, containerId: string): Promise<{ readonly hasSession: boolean }> {
  const began = monotonicSeconds();
  for (;;) {
    const { ExecIDs, Config } = (await inspect(host, containerId)) as unknown as Checked;
    const sessions = await Promise.all((ExecIDs ?? []).map((id) => readSession(host, id)));
    const running = sessions.filter((session) => session?.Running === true).map((session) => commandOf(session!));
    const check = commandOfCheck(Config);
    const timeoutSeconds = (Config.Healthcheck?.Timeout ?? 0) / 1e9 || TIMEOUT_SECONDS;
    const isOnlyChecked = check !== null && running.every((command) => command.join("\0") === check.join("\0"));
    if (running.length === 0 || !isOnlyChecked || monotonicSeconds() - began > timeoutSeconds) return { hasSession: running.length > 0 };
    await delay(LOOK_MILLISECONDS);
  }
}

const commandOf = ({ ProcessConfig }: Session) => [ProcessConfig.entrypoint, ...(ProcessConfig.arguments ?? [])];

/** Null = it has ended meanwhile. */
async function readSession(host: DockerHost, id: string): Promise<Session | null> {
  try {
    return (await host.docker.getExec(id).inspect()) as unknown as Session;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return null;
    throw error;
  }
}
