import { type Finding, type FindingCode, finding } from "../../../platform/findings.js";
import { processFindings } from "../../preflight/process-findings.js";
import type { WorkloadDescription } from "../engine.js";
import { bindMountFindings } from "./bind-mounts.js";
import { RUNTIME } from "./create-options.js";
import { type DockerConfig, inspect } from "./describe.js";
import type { DockerHost } from "./docker-host.js";
import { groupFindings } from "./group-findings.js";
import { waitForHealthCheck } from "./health-checks.js";
import { gatewayNames } from "./made-files.js";
import { ownNetworkFindings } from "./own-network.js";
import { sharingFindings } from "./sharing-findings.js";
import { sourceNetworkFindings } from "./source-networks.js";
import { findUpperFolder } from "./upper-folder.js";
import { elsewhereFindings } from "./volumes.js";

/** Names by which Docker knows runc, ours among them, which is runc but for a restore. */
const RUNC: readonly string[] = ["runc", "io.containerd.runc.v2", RUNTIME];

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
    // A network and an IPC namespace can be shared with what moves as one with it.
    if (value?.startsWith("container:") && mode !== "NetworkMode" && mode !== "IpcMode")
      add("shared-namespace", `It shares ${mode} with ${value}`);
  }
  const { descriptors } = description.engineConfig as DockerConfig;
  const runtime = HostConfig.Runtime || "runc";
  if (!RUNC.includes(runtime)) add("runtime-other", `It is run by ${runtime}`);
  else if (seen.State.Running && descriptors === undefined) add("runtime-other", `runc keeps no state of it below ${host.runtimeRoots}`);
  const devices = (HostConfig.Devices ?? []).map(({ PathOnHost }: { PathOnHost: string }) => PathOnHost);
  if (devices.length > 0) add("device", `It uses ${devices.join(", ")} of this host`);
  if ((HostConfig.DeviceRequests ?? []).length > 0) add("device", "It uses GPUs of this host");
  findings.push(...(await bindMountFindings(host, seen)));
  const hostNames = gatewayNames(HostConfig);
  if (hostNames.length > 0) add("host-gateway", `It knows its host as ${hostNames.join(", ")}`);
  for (const volume of description.volumes) {
    if (volume.driver !== "local") add("volume-driver", `Volume ${volume.name} has driver ${volume.driver}`);
    const users = await host.docker.listContainers({ all: true, filters: { volume: [volume.name] } });
    const others = users.filter((user) => user.Id !== description.containerId).map((user) => user.Names[0]?.slice(1));
    if (others.length > 0) add("volume-shared", `Volume ${volume.name} is also used by ${others.join(", ")}`);
  }
  findings.push(
    ...elsewhereFindings(description),
    ...sourceNetworkFindings(description),
    ...(await sharingFindings(host, description, seen)),
    ...(await ownNetworkFindings(seen)),
    ...(await groupFindings(seen)),
  );
  const { hasSession } = await waitForHealthCheck(host, description.containerId);
  const tenancy = { hasSession, sharesPids: (HostConfig.PidMode ?? "") !== "" };
  if (seen.State.Pid > 0) findings.push(...(await processFindings(seen.State.Pid, tenancy)));
  return findings;
}
