import { buildRoot, type Progress } from "../../lab/root-file-system.js";
import { LAB_PACKAGES } from "../../lab/root-recipe.js";

/** The peers, as the nodes' own Debian release has them. crun loads libcriu when it is first asked for a checkpoint. */
const PEER_PACKAGES = ["podman", "crun", "netavark", "conmon", "libcriu2"];

/** The lab's root file system with the peers in it; about two minutes, once. */
export function buildBenchRoot(onProgress: Progress): Promise<string> {
  return buildRoot("bench", [...LAB_PACKAGES, ...PEER_PACKAGES], onProgress);
}
