import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Path of a Chromium: EVENKEEL_CHROMIUM, else the host's; null when there is none. */
export function findChromium(): string | null {
  const named = process.env["EVENKEEL_CHROMIUM"];
  if (named !== undefined && named !== "") return named;
  return PLACES.find((path) => existsSync(path)) ?? null;
}

export function launchChromium(executablePath: string): Promise<Browser> {
  // As root Chromium refuses its own sandbox; the pages it sees here are ours.
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"] });
}
