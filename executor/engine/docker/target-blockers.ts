import type { Blocker, WorkloadDescription } from "../engine.js";
import { RUNTIME } from "./create-options.js";
import { readTraits } from "./describe.js";
import type { DockerHost } from "./docker-host.js";

/** What would keep this node from taking the workload, found before anything is made. */
export async function targetBlockers(host: DockerHost, description: WorkloadDescription): Promise<Blocker[]> {
  const blockers: Blocker[] = [];
  const block = (code: string, message: string, hint: string) => blockers.push({ code, message, hint });
  const info = (await host.docker.info()) as { Runtimes?: Record<string, unknown> };
  if (info.Runtimes?.[RUNTIME] === undefined) {
    block(
      "runtime-missing",
      `Docker here does not know the runtime ${RUNTIME}`,
      "Register it in daemon.json and reload Docker; see executor/README.md.",
    );
  }
  const here = await readTraits(host);
  for (const [trait, value] of Object.entries(description.traits)) {
    if (here[trait] !== value)
      block(`differs-${trait}`, `${trait}: ${value} there, ${here[trait]} here`, "Set both Docker engines up alike.");
  }
  const containers = await host.docker.listContainers({ all: true });
  const namesake = containers.find((each) => each.Names.includes(`/${description.name}`));
  if (namesake !== undefined)
    block("name-taken", `A container named ${description.name} is here (${namesake.State})`, "Rename or remove it.");
  for (const wanted of description.networks) {
    const networks = await host.docker.listNetworks({ filters: { name: [wanted.network] } });
    if (!networks.some((each) => each.Name === wanted.network && each.Driver === wanted.driver)) {
      block(
        "network-missing",
        `No ${wanted.driver} network named ${wanted.network} is here`,
        "Create it with the same subnet as on the other nodes.",
      );
    }
    const holder = containers.find((each) => each.NetworkSettings?.Networks?.[wanted.network]?.IPAddress === wanted.ipv4Address);
    if (holder !== undefined && wanted.ipv4Address !== "") {
      block(
        "address-taken",
        `${wanted.ipv4Address} belongs to ${holder.Names[0]?.slice(1)} here`,
        "Addresses must be unique in the fleet.",
      );
    }
  }
  const { Volumes } = await host.docker.listVolumes();
  for (const volume of description.volumes) {
    if ((Volumes ?? []).some((each) => each.Name === volume.name)) {
      block("volume-taken", `A volume named ${volume.name} is here already`, "Remove it if its data is not needed, or rename one of them.");
    }
  }
  return blockers;
}
