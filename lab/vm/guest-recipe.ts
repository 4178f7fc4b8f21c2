import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { projectPath } from "../../platform/paths.js";
import { CONTAINERD_SETTINGS, daemonSettings } from "../docker-settings.js";
import { LAB_PACKAGES } from "../root-recipe.js";

/**
 * The root file system of a lab of virtual nodes: what every lab has, a kernel that tracks dirty memory and has 9p (the flavour for clouds lacks
 * that), and the QEMU that runs it. The guests' disk is made from the same tree.
 */
export const VM_PACKAGES: readonly string[] = [
  ...LAB_PACKAGES,
  "qemu-system-x86",
  "qemu-utils",
  "linux-image-amd64",
  "openssh-server",
  "openssh-client",
  "systemd",
  "dbus",
  "cpio",
  "e2fsprogs",
  "xz-utils",
];

export const GUEST_FILES = projectPath("lab/vm/guest");
export const GUEST_SCRIPT = projectPath("lab/vm/scripts/make-guest.sh");
/** What the script is told beside folders. */
export const GUEST_ENVIRONMENT = { DAEMON_SETTINGS: daemonSettings({ isConfined: false }), CONTAINERD_SETTINGS };

/** Names a guest by all that it is made from. */
export async function guestId(rootDirectory: string): Promise<string> {
  const hash = createHash("sha256")
    .update(`${rootDirectory} ${JSON.stringify(GUEST_ENVIRONMENT)}`)
    .update(await readFile(GUEST_SCRIPT));
  for (const name of (await readdir(GUEST_FILES)).sort()) hash.update(name).update(await readFile(join(GUEST_FILES, name)));
  return `guest-${hash.digest("hex").slice(0, 12)}`;
}
