import { asEvenkeelError } from "../../platform/errors.js";
import { folderBytes } from "../channel/folder-bytes.js";
import { packImages } from "../channel/image-stream.js";
import { copySmall, type FrozenProcess } from "../pages/take-along.js";
import type { Preflight } from "../preflight/preflight.js";
import type { Held, Surroundings } from "./migration.js";
import { outgoing } from "./outlet.js";

type Wanted = Pick<Preflight, "description" | "needs" | "layersThere">;

/** The image: from a registry, if the destination reaches one that has this very one; else from here, what the destination has not. */
export async function bringImage(surroundings: Surroundings, held: Held, wanted: Wanted): Promise<void> {
  const { description, layersThere } = wanted;
  if (description.imageDigests.length > 0) {
    held.live.expect({ stage: "prepare", kind: "image", note: `pulling image ${description.imageName}` });
    if ((await held.peer.pullImage(held.record.id)).isHere) return;
  }
  await sendImage(surroundings, held, wanted, layersThere).catch((error: unknown) => {
    // Its layers may have gone with the image that had them.
    if (layersThere === 0 || asEvenkeelError(error).code !== "IMAGE_UNAVAILABLE") throw error;
    held.log.warn({ layersThere, error: String(error) }, "the destination misses layers that it had; sending all of them");
    return sendImage(surroundings, held, wanted, 0);
  });
}

async function sendImage(surroundings: Surroundings, held: Held, { description, needs }: Wanted, layersThere: number): Promise<void> {
  // Of a part of it nobody knows how large it is.
  const totalBytes = layersThere === 0 ? needs.imageBytes : null;
  held.live.expect({ stage: "prepare", kind: "image", totalBytes, note: `image ${description.imageName}` });
  const stream = await surroundings.engine.saveImage(description.imageId, description.imageName, layersThere);
  await held.peer.sendImage(held.record.id, outgoing(surroundings, held, stream, { kind: "image", isFrozen: false }));
}

/**
 * Small pieces of the frozen workload's memory, while CRIU still dumps it: it is final from the moment in which no thread runs. False: they could not be sent, and have to come with the images.
 */
export async function sendSmall(
  surroundings: Surroundings,
  held: Held,
  folder: string,
  processes: readonly FrozenProcess[],
): Promise<boolean> {
  try {
    const bytes = await copySmall(folder, processes);
    await held.peer.sendSmall(held.record.id, outgoing(surroundings, held, packImages(folder), { kind: "memory", isFrozen: true, bytes }));
    return true;
  } catch (error) {
    held.log.warn({ error: String(error) }, "small memory did not go ahead");
    return false;
  }
}

/** The frozen workload's memory images. */
export async function sendMemory(surroundings: Surroundings, held: Held, imagesPath: string): Promise<void> {
  held.live.expect({ stage: "transfer", kind: "memory", note: "memory" });
  const bytes = folderBytes(imagesPath);
  held.live.expectTotal(bytes);
  const images = outgoing(surroundings, held, packImages(imagesPath), { kind: "memory", isFrozen: true, bytes });
  await held.peer.sendMemory(held.record.id, images);
}
