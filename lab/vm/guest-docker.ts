import { join } from "node:path";
import Docker from "dockerode";
import { waitFor } from "../deadline.js";
import type { Machine } from "../machine.js";
import type { Site } from "../site.js";
import { GUEST_ADDRESS } from "./guest-command.js";

/** The guest's Docker, on the control link. */
const DOCKER_PORT = 2375;
/** Emulated, after a boot, on a busy machine. */
export const DOCKER_DEADLINE_SECONDS = 600;

/** A unix socket on the host that leads to the guest's Docker, as long as the guest's own machine is there. */
export async function reachDocker(outer: Machine, site: Site): Promise<{ docker: Docker; dockerSocket: string }> {
  const dockerSocket = join(site.sharedDirectory, outer.name, "docker.sock");
  await outer.spawn(["socat", `UNIX-LISTEN:/shared/${outer.name}/docker.sock,fork,unlink-early`, `TCP:${GUEST_ADDRESS}:${DOCKER_PORT}`], {
    name: "docker-relay",
  });
  return { docker: new Docker({ socketPath: dockerSocket }), dockerSocket };
}

export async function dockerAnswers(name: string, docker: Docker): Promise<void> {
  await waitFor(`dockerd of ${name} to answer`, DOCKER_DEADLINE_SECONDS, () =>
    docker.ping().then(
      () => true,
      () => false,
    ),
  );
}
