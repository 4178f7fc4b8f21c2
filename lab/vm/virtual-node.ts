import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { waitFor } from "../deadline.js";
import { createFleetNetwork, type LabNode } from "../docker-host.js";
import { type Machine, startMachine } from "../machine.js";
import { Services } from "../service.js";
import { addressOf, nodeOctet, type Site, SUBNET_PREFIX } from "../site.js";
import type { Booted } from "./booted.js";
import { cutPower, type GuestSize, makeDisk, plugIn, powerOn } from "./guest.js";
import { inGuest } from "./guest-command.js";
import { DOCKER_DEADLINE_SECONDS, dockerAnswers, reachDocker } from "./guest-docker.js";
import { launchInGuest } from "./launch-in-guest.js";

/** A node that is a computer of its own, emulated: its own kernel, systemd, cgroups of version 2 alone, a plain Docker. */
export async function startVirtualNode(
  site: Site,
  node: GuestSize & { readonly name: string; readonly index: number },
  { guestFolder, booted }: { readonly guestFolder: string; readonly booted: Booted },
): Promise<LabNode> {
  const { name } = node;
  const octet = nodeOctet(node.index);
  const outer = await startMachine(site, { name, octet, services: [], files: {}, guestFolder });
  await writeFile(join(outer.folder, "guest"), "");
  await plugIn(outer);
  await makeDisk(outer, { path: booted.disk, format: "qcow2" });
  await powerOn(outer, node, booted.memory);
  await personalise(outer, site, octet);
  const { docker, dockerSocket } = await reachDocker(outer, site);
  const waitForDocker = () => dockerAnswers(name, docker);
  await waitForDocker();
  await createFleetNetwork(docker);
  return asNode(outer, node, { docker, dockerSocket, waitForDocker });
}

function asNode(outer: Machine, size: GuestSize, docker: Pick<LabNode, "docker" | "dockerSocket" | "waitForDocker">): LabNode {
  const services = new Services(launchInGuest(outer));
  const exec: Machine["exec"] = (command, { env, cwd, ...options } = {}) =>
    outer.exec(inGuest(command, { ...(env === undefined ? {} : { env }), ...(cwd === undefined ? {} : { cwd }) }), options);
  /** 0 while there is none. */
  const daemon = async () => (await exec(["systemctl", "show", "--property", "MainPID", "--value", "docker"])).stdout;
  return {
    ...docker,
    name: outer.name,
    address: outer.address,
    get pid() {
      return outer.service("qemu")?.pid ?? outer.pid;
    },
    folder: outer.folder,
    exec,
    spawn: (command, options) => services.start(command, options),
    service: (name) => services.get(name),
    cut: () => outer.cut(),
    heal: () => outer.heal(),
    stop: async () => {
      await cutPower(outer);
      services.forget();
    },
    start: () => powerOn(outer, size, null),
    restartDocker: async (signal = "SIGTERM") => {
      const before = await daemon();
      await exec(["kill", `-${signal.replace("SIG", "")}`, before]);
      await waitFor(
        `dockerd of ${outer.name} to be started again`,
        DOCKER_DEADLINE_SECONDS,
        async () => ![before, "0"].includes(await daemon()),
      );
      await docker.waitForDocker();
    },
  };
}

/** Gives a copy its own name, card and address, and the time: it believes that it is when it was put to sleep. */
async function personalise(outer: Machine, site: Site, octet: number): Promise<void> {
  const settings = {
    NAME: outer.name,
    ADDRESS: addressOf(octet),
    PREFIX: SUBNET_PREFIX,
    MAC: `02:4e:00:00:00:${octet.toString(16).padStart(2, "0")}`,
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key}='${value}'\n`);
  await outer.exec(inGuest(["sh", "-c", "cat >/etc/guest/settings"]), { input: lines.join("") });
  await outer.exec(inGuest(["sh", "-c", "cat >/etc/hosts"]), { input: site.hosts });
  await outer.exec(inGuest(["guest-personalise"]));
  await outer.exec(inGuest(["systemd-machine-id-setup"]));
  await outer.exec(inGuest(["date", "-s", `@${(Date.now() / 1000).toFixed(3)}`]));
}
