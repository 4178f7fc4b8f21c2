import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { projectPath } from "../../../platform/paths.js";
import { startRedis } from "../../support/redis.js";
import { waitFor } from "../../support/wait-for.js";

/** Sources of the last stage's COPY lines: what the image holds beside Node. */
async function imageContents(): Promise<string[]> {
  const text = await readFile(projectPath("scheduler/Dockerfile"), "utf8");
  const lastStage = text.slice(text.lastIndexOf("\nFROM "));
  return [...lastStage.matchAll(/^COPY (?:--from=build \/src\/)?(\S+) \S+$/gm)].map((match) => match[1]!);
}

describe("the scheduler's image", () => {
  it("holds all that the scheduler needs to run", async () => {
    const contents = await imageContents();
    expect(contents).to.include.members(["dist", "node_modules", "package.json"]);
    const root = await mkdtemp(join(tmpdir(), "evenkeel-image-"));
    const server = await startRedis();
    let log = "";
    for (const path of contents) {
      if (path === "node_modules") await symlink(projectPath(path), join(root, path));
      // Tests and the lab are no part of the image's dist; the page is left out, for tests beside this one build it anew.
      else
        await cp(projectPath(path), join(root, path), { recursive: true, filter: (source) => !/dist\/(test|lab|bench|page)/.test(source) });
    }
    const file = join(root, "config.json");
    await writeFile(file, JSON.stringify({ redis: { url: server.url }, scheduler: { host: "127.0.0.1", port: 0, tickSeconds: 0.2 } }));
    const child = spawn(process.execPath, [join(root, "dist/scheduler/main.js")], {
      cwd: root,
      env: { ...process.env, EVENKEEL_CONFIG: file },
      stdio: ["ignore", "ignore", "pipe"],
    });
    child.stderr.on("data", (chunk: Buffer) => {
      log += chunk.toString();
    });
    const exit = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    try {
      const port = await waitFor("its port in the log", () => /"port":(\d+)/.exec(log)?.[1]).catch((error: unknown) => {
        throw new Error(log, { cause: error });
      });
      await waitFor("health", async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).ok);
    } finally {
      child.kill("SIGKILL");
      await exit;
      await server.close();
      await rm(root, { recursive: true });
    }
  });
});
