import { buildRoot, type Progress } from "../../../lab/root-file-system.js";
import { LAB_PACKAGES } from "../../../lab/root-recipe.js";

/** Servers that the lab itself does not have; the rest (redis, nginx, Node.js, Python) are in its own packages. */
const SERVER_PACKAGES = ["postgresql", "default-jre-headless"];

/** The lab's root file system with more servers and their clients in it; some minutes, once. */
export function buildServersRoot(onProgress: Progress): Promise<string> {
  return buildRoot("servers", [...LAB_PACKAGES, ...SERVER_PACKAGES], onProgress);
}
