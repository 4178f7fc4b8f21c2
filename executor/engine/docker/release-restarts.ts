import type { WorkloadDescription } from "../engine.js";
import { type DockerConfig, inspect } from "./describe.js";
import { type DockerHost, isNotFound } from "./docker-host.js";
import { startAgain } from "./start-anew.js";

/** Gives a workload its own restart policy, and what that would have done already. One that its owner has removed needs none. */
export async function releaseRestarts(host: DockerHost, description: WorkloadDescription, containerId: string): Promise<void> {
  const policy = (description.engineConfig as DockerConfig).HostConfig.RestartPolicy ?? { Name: "no" };
  try {
    await host.docker.getContainer(containerId).update({ RestartPolicy: policy });
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
  // One that has ended before Docker knew its policy is not restarted by that.
  const { State } = await inspect(host, containerId);
  if (!State.Running && isRestarted(policy.Name, State.ExitCode)) await startAgain(host, containerId);
}

function isRestarted(policy: string, exitCode: number): boolean {
  return policy === "always" || policy === "unless-stopped" || (policy === "on-failure" && exitCode !== 0);
}
