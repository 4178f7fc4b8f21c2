import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { projectPath } from "../../../platform/paths.js";
import { findChromium } from "../../support/chromium.js";

/** Installing Chromium, where that is possible, takes a while. */
export const START_MILLISECONDS = 300_000;
/** Playwright's own is a third of it, meant for a machine with nothing else to do. */
const WAIT_MILLISECONDS = 90_000;

export interface PageBrowser {
  /** Opens the page of a scheduler, once it shows node n1. What goes wrong in it is added to `complaints`. */
  open(url: string, complaints: string[], options?: BrowserContextOptions): Promise<Page>;
  /** Kept where EVENKEEL_PICTURES says, else in a folder below the system's for temporary files. */
  picture(name: string, of: Page): Promise<unknown>;
  close(): Promise<void>;
}

/** Builds the page and starts a browser; null, and a word on it, where there is none. */
export async function startBrowser(): Promise<PageBrowser | null> {
  const executable = await findChromium();
  if (executable === null || executable === "") {
    // Counted as pending by the runner.
    console.log("      skipped: no Chromium; set EVENKEEL_CHROMIUM or install it");
    return null;
  }
  // Always: a page built from older sources would prove nothing.
  await promisify(execFile)(process.execPath, [projectPath("node_modules/vite/bin/vite.js"), "build", projectPath("scheduler/page")]);
  const named = process.env["EVENKEEL_PICTURES"];
  const pictures = named ?? (await mkdtemp(join(tmpdir(), "evenkeel-pictures-")));
  await mkdir(pictures, { recursive: true });
  // As root Chromium refuses its own sandbox; the pages it sees here are ours.
  const browser: Browser = await chromium.launch({
    executablePath: executable,
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
  });
  return {
    open: async (url, complaints, options = {}) => {
      const context = await browser.newContext({ viewport: { width: 1360, height: 1000 }, ...options });
      context.setDefaultTimeout(WAIT_MILLISECONDS);
      // Whatever is not the scheduler is not there: the page has to do without the internet.
      await context.route(/^(?!http:\/\/127\.0\.0\.1)/, (route) => route.abort());
      const opened = await context.newPage();
      opened.on("pageerror", (error) => complaints.push(String(error)));
      opened.on("requestfailed", (request) => complaints.push(`${request.url()} ${request.failure()?.errorText}`));
      await opened.goto(url);
      await opened.getByTestId("node-n1").waitFor();
      return opened;
    },
    picture: (name, of) => of.screenshot({ path: join(pictures, `${name}.png`), fullPage: true }),
    close: async () => {
      await browser.close();
      if (named === undefined) await rm(pictures, { recursive: true });
    },
  };
}
