import type { ContainerCreateOptions } from "dockerode";
import { LABELS } from "../../collector/protocol.js";
import { FLEET_NETWORK } from "../docker-host.js";
import type { LabContainer } from "./workload-table.js";

/** What `docker.createContainer` takes for a workload. The runtime is left to the node's default. */
export function toContainerCreateOptions(workload: LabContainer, network: string = FLEET_NETWORK): ContainerCreateOptions {
  return {
    name: workload.name,
    Image: workload.image,
    Cmd: [...workload.command],
    Env: Object.entries(workload.env).map(([name, value]) => `${name}=${value}`),
    Labels: { ...workload.labels, [LABELS.workload]: workload.name },
    Tty: false,
    OpenStdin: workload.openStdin ?? false,
    HostConfig: {
      NetworkMode: network,
      RestartPolicy: { Name: "unless-stopped" },
      Memory: workload.memoryLimitBytes,
      Sysctls: { ...workload.sysctls },
      NanoCpus: Math.round(workload.cpuLimitCores * 1e9),
      Mounts: [
        ...workload.volumes.map(({ name, target }) => ({ Type: "volume" as const, Source: name, Target: target })),
        ...(workload.folders ?? []).map(({ name, target }) => ({
          Type: "bind" as const,
          Source: name,
          Target: target,
          BindOptions: { CreateMountpoint: true } as never,
        })),
      ],
    },
    NetworkingConfig: {
      EndpointsConfig: { [network]: { IPAMConfig: { IPv4Address: workload.address }, MacAddress: workload.macAddress } },
    },
  };
}
