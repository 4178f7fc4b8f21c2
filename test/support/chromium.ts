import { existsSync, readFileSync } from "node:fs";
import { execa } from "execa";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** A Chromium for the page's tests: the host's, else Debian's package. Null where neither can be had (Ubuntu's is a snap). */
export async function findChromium(): Promise<string | null> {
  const named = process.env["EVENKEEL_CHROMIUM"];
  if (named !== undefined) return named;
  const found = () => PLACES.find((path) => existsSync(path)) ?? null;
  if (found() !== null) return found();
  if (!/^ID=debian$/m.test(readFileSync("/etc/os-release", "utf8"))) return null;
  console.log("preparing the page's tests: installing Chromium");
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await execa("apt-get", ["update", "-qq"], { env, reject: false });
  await execa("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "chromium"], { env, reject: false });
  return found();
}
