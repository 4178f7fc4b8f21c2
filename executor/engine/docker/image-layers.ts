import { pipeline, type Readable } from "node:stream";
import { extract, pack } from "tar-stream";
import type { DockerHost } from "./docker-host.js";

/** Digests of an image's layers, the lowest first; empty where it is not here. */
export async function layersOf({ docker }: DockerHost, imageId: string): Promise<readonly string[]> {
  const image = await docker
    .getImage(imageId)
    .inspect()
    .catch(() => null);
  return image?.RootFS.Layers ?? [];
}

/**
 * How many of these layers, from the lowest on, some image here is built on too. Docker finds a layer by all that is below it (moby, image/tarexport/load.go) and
 * then does not look for it in an archive. The image store of containerd wants every layer: 0.
 */
export async function countLayersHere(host: DockerHost, layers: readonly string[]): Promise<number> {
  const { Driver } = (await host.docker.info()) as { Driver: string };
  if (Driver !== "overlay2" || layers.length === 0) return 0;
  const images = await host.docker.listImages();
  const others = await Promise.all(images.map(({ Id }) => layersOf(host, Id)));
  const shared = others.map((theirs) => {
    const differs = layers.findIndex((layer, index) => theirs[index] !== layer);
    return differs < 0 ? layers.length : differs;
  });
  return Math.max(0, ...shared);
}

/** The lowest `count` layers, without those that are in the image once more above them. */
export function layersToLeave(layers: readonly string[], count: number): ReadonlySet<string> {
  const above = new Set(layers.slice(count));
  return new Set(layers.slice(0, count).filter((layer) => !above.has(layer)));
}

/** An image's archive (`docker save`, since version 25) without these layers. */
export function withoutLayers(archive: NodeJS.ReadableStream, layers: ReadonlySet<string>): Readable {
  const left = new Set([...layers].map((layer) => `blobs/${layer.replace(":", "/")}`));
  const kept = pack();
  const entries = extract();
  const fail = (error: Error | null | undefined) => {
    if (error) kept.destroy(error);
  };
  entries.on("entry", (header, content, next) => {
    if (left.has(header.name)) {
      content.once("end", () => next());
      content.resume();
    } else pipeline(content, kept.entry(header, next), fail);
  });
  entries.once("finish", () => kept.finalize());
  pipeline(archive, entries, fail);
  return kept;
}
