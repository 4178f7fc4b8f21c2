import { type Finding, type FindingCode, finding } from "../../../platform/findings.js";
import { processFindings } from "../../preflight/process-findings.js";
import type { WorkloadDescription } from "../engine.js";
import { bindMountFindings } from "./bind-mounts.js";
import { type DockerConfig, inspect } from "./describe.js";
import type { DockerHost } from "./docker-host.js";
import { waitForHealthCheck } from "./health-checks.js";
import { sharingFindings } from "./sharing-findings.js";
import { sourceNetworkFindings } from "./source-networks.js";
import { findUpperFolder } from "./upper-folder.js";

/** What CRIU or the move would trip over, seen on the node where the workload runs. */
export async function sourceFindings(host: DockerHost, description: WorkloadDescription): Promise<Finding[]> {
  const seen = await inspect(host, description.containerId);
  const { Config, HostConfig } = description.engineConfig as DockerConfig;
  const findings: Finding[] = [];
  const add = (code: FindingCode, message: string) => findings.push(finding(code, message));
  if (seen.State.Status !== "running") add("not-running", `The container is ${seen.State.Status}`);
  if ((await findUpperFolder(host, seen)) === null) {
    add(
      "storage-driver",
      `Docker keeps its file system with ${description.traits["storageDriver"]}, which does not show what changed in it`,
    );
  }
  if (Config.Tty) add("tty", "It has a terminal (docker run -t)");
  for (const mode of ["NetworkMode", "PidMode", "IpcMode", "UTSMode"] as const) {
    const value = HostConfig[mode];
    if (value === "host") add(`host-${mode}`, `It shares the host's namespace (${mode} host)`);
    // A network can be shared with what moves as one with it.
    if (value?.startsWith("container:") && mode !== "NetworkMode") add("shared-namespace", `It shares ${mode} with ${value}`);
  }
  const devices = (HostConfig.Devices ?? []).map(({ PathOnHost }: { PathOnHost: string }) => PathOnHost);
  if (devices.length > 0) add("device", `It uses ${devices.join(", ")} of this host`);
  if ((HostConfig.DeviceRequests ?? []).length > 0) add("device", "It uses GPUs of this host");
  findings.push(...(await bindMountFindings(host, seen)));
  for (const volume of description.volumes) {
    if (volume.driver !== "local") add("volume-driver", `Volume ${volume.name} has driver ${volume.driver}`);
    const users = await host.docker.listContainers({ all: true, filters: { volume: [volume.name] } });
    const others = users.filter((user) => user.Id !== description.containerId).map((user) => user.Names[0]?.slice(1));
    if (others.length > 0) add("volume-shared", `Volume ${volume.name} is also used by ${others.join(", ")}`);
  }
  findings.push(...sourceNetworkFindings(description), ...(await sharingFindings(host, description, seen)));
  const { hasSession } = await waitForHealthCheck(host, description.containerId);
  const tenancy = { hasSession, sharesPids: (HostConfig.PidMode ?? "") !== "" };
  if (seen.State.Pid > 0) findings.push(...(await processFindings(seen.State.Pid, tenancy)));
  return findings;
}
