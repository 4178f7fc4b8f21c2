import type Docker from "dockerode";
import { toContainerCreateOptions } from "./container-spec.js";
import type { LabWorkload } from "./workload-table.js";

/** Creates and starts the workload's container on the engine, which must have its image. */
export async function startWorkload(docker: Docker, workload: LabWorkload): Promise<Docker.Container> {
  const container = await docker.createContainer(toContainerCreateOptions(workload));
  await container.start();
  return container;
}
