import { once } from "node:events";
import type { WorkloadDescription } from "../engine.js";
import type { DockerHost } from "./docker-host.js";

/** A registry that is out of reach is not waited for as long as Docker would; the source has the image too. */
const SILENT_SECONDS_MOST = 15;

/**
 * Fetches an image by digest, so that it is the very one. Without credentials: what is not open to everyone is sent from the source. Whether the right
 * image is here then is for the caller to look.
 */
export async function pullImage({ docker }: DockerHost, { imageDigests, imageId, imageName }: WorkloadDescription): Promise<void> {
  for (const digest of imageDigests) {
    const abort = new AbortController();
    const silent = () => abort.abort(new Error(`silent for ${SILENT_SECONDS_MOST} s`));
    let timer = setTimeout(silent, SILENT_SECONDS_MOST * 1000);
    try {
      const progress = await docker.pull(digest, { abortSignal: abort.signal });
      progress.on("data", () => {
        clearTimeout(timer);
        timer = setTimeout(silent, SILENT_SECONDS_MOST * 1000);
      });
      await once(progress, "end", { signal: abort.signal });
      await tag(docker, imageId, imageName);
      return;
    } catch {
      // The next registry, or the source.
    } finally {
      clearTimeout(timer);
    }
  }
}

/** By digest an image comes without its name. A name that means something else here already stays so. */
async function tag(docker: DockerHost["docker"], imageId: string, imageName: string): Promise<void> {
  const isTaken = await docker
    .getImage(imageName)
    .inspect()
    .then(() => true)
    .catch(() => false);
  const [, repo, name] = /^(.+):([\w][\w.-]*)$/.exec(imageName) ?? [];
  if (isTaken || repo === undefined || name === undefined || repo.includes("@")) return;
  await docker.getImage(imageId).tag({ repo, tag: name });
}
