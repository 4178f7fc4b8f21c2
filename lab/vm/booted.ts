import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, cp, mkdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { BuiltImage } from "../images/build-images.js";
import { importImage } from "../images/import-images.js";
import { withLock } from "../kernel-lock.js";
import { startMachine } from "../machine.js";
import type { Progress } from "../root-file-system.js";
import { MOULD_OCTET, type Site } from "../site.js";
import { cutPower, type GuestSize, makeDisk, plugIn, powerOn, qemuCommand, tellMonitor } from "./guest.js";
import { inGuest } from "./guest-command.js";
import { dockerAnswers, reachDocker } from "./guest-docker.js";

/** A guest that was booted and then put to sleep: its disk and its memory, as a virtual node's own machine sees them. */
export interface Booted {
  readonly disk: string;
  readonly memory: string;
}

const SLEEP_DEADLINE_SECONDS = 300;
const MEMORY = "/var/lib/evenkeel/memory";

/**
 * Boots one guest of that size with Docker up and the images in it, and writes its memory down, unless the cache has it (a minute or two, once): every
 * virtual node starts as a copy of it, within seconds.
 */
export async function ensureBooted(
  site: Site,
  guestFolder: string,
  { size, images }: { readonly size: GuestSize; readonly images: readonly BuiltImage[] },
  onProgress: Progress,
): Promise<Booted> {
  const folders = new Set(images.map(({ tar }) => basename(dirname(tar))));
  // Memory that was written down can only be read back by the same machine.
  const machine = createHash("sha256").update(qemuCommand(size, null).join(" ")).digest("hex").slice(0, 8);
  const name = ["booted", machine, ...folders].join("-");
  const booted = { disk: `/var/lib/guest/${name}/disk.qcow2`, memory: `/var/lib/guest/${name}/memory` };
  const folder = join(guestFolder, name);
  if (existsSync(folder)) return booted;
  return withLock(`${guestFolder}.${name}.lock`, async () => {
    if (existsSync(folder)) return booted;
    onProgress("booting the machine from which the virtual nodes are copied");
    const mould = await startMachine(site, { name: "mould", octet: MOULD_OCTET, services: [], files: {}, guestFolder });
    await plugIn(mould);
    await makeDisk(mould, { path: "/var/lib/guest/disk.ext4", format: "raw" });
    await powerOn(mould, size, null);
    const ask = (command: readonly string[]) => mould.exec(inGuest(command), { reject: false });
    const { docker } = await reachDocker(mould, site);
    await dockerAnswers(mould.name, docker);
    for (const image of images) await importImage(docker, image);
    // What every node will run first is then in the page cache of each.
    await ask(["criu", "check"]);
    await ask(["node", "-e", "0"]);
    await ask(["rm", "-f", "/etc/machine-id", "/run/criu.kdat"]);
    await ask(["sync"]);
    const answer = await tellMonitor(mould, `migrate file:${MEMORY}\ninfo migrate`, SLEEP_DEADLINE_SECONDS);
    if (!answer.includes("completed")) throw new Error(`QEMU could not write the guest's memory down: ${answer}`);
    await cutPower(mould);
    await rm(`${folder}.partial`, { recursive: true, force: true });
    await mkdir(`${folder}.partial`, { recursive: true });
    for (const file of ["disk.qcow2", "memory"]) {
      await cp(join(mould.folder, "evenkeel", file), join(`${folder}.partial`, file));
      await chmod(join(`${folder}.partial`, file), 0o444);
    }
    await rename(`${folder}.partial`, folder);
    await mould.stop();
    return booted;
  });
}
