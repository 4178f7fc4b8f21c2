import { existsSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";

/** What signs Debian; other distributions have it in a package. */
export const DEBIAN_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

const PATH = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** Installs, by apt, the packages of those commands (or files, by absolute path) that this machine lacks: `{ ip: "iproute2" }`. */
export async function ensureTools(packageOf: Readonly<Record<string, string>>): Promise<void> {
  const isThere = (tool: string) => (tool.startsWith("/") ? existsSync(tool) : PATH.some((folder) => existsSync(join(folder, tool))));
  const missing = Object.entries(packageOf)
    .filter(([tool]) => !isThere(tool))
    .map(([, name]) => name);
  if (missing.length === 0) return;
  const env = { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" };
  await execa("apt-get", ["update", "-qq"], { env });
  await execa("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...new Set(missing)], { env });
}
