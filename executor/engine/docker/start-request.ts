import { createInterface } from "node:readline";
import { EvenkeelError } from "../../../platform/errors.js";
import { projectPath } from "../../../platform/paths.js";
import { spawnApart } from "../../spawn-apart.js";

/** A request to start a container that outlives this executor once it was sent. */
export interface StartRequest {
  /** @throws RESTORE_FAILED with Docker's words. */
  send(): Promise<void>;
  /** Forgets it, if it was not sent. */
  cancel(): void;
}

/** Made ready ahead of the freeze, which then does not wait for a program to start. */
export function prepareStart(socketPath: string, containerId: string): StartRequest {
  const child = spawnApart(projectPath("dist/executor/engine/docker/start-container.js"), [socketPath, containerId]);
  const answer = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(`0 ${error.message}`));
    child.stdout.on("error", (error) => resolve(`0 ${error.message}`));
    const lines = createInterface({ input: child.stdout });
    lines.on("error", () => {});
    lines.once("line", resolve);
    lines.once("close", () => resolve("0 whoever was to ask Docker has ended"));
  });
  return {
    async send() {
      child.stdin.write("go\n");
      const words = (await answer).trim();
      // 304: it runs already.
      if (!/^(204|304)\b/.test(words)) throw new EvenkeelError("RESTORE_FAILED", `docker start: ${words}`);
    },
    cancel: () => child.stdin.end(),
  };
}
