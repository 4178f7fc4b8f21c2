import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { expect } from "chai";
import { killGroup } from "../../process-group.js";
import { waitFor } from "../../support/wait-for.js";

/** Says the pid of a process that it has started, and waits for it. */
const PARENT = "sleep 600 & echo $!; wait";

async function start() {
  const child = spawn("sh", ["-c", PARENT], { detached: true, stdio: ["ignore", "pipe", "ignore"] });
  const [line] = (await new Promise<string>((resolve) => createInterface({ input: child.stdout! }).once("line", resolve))).split(" ");
  return { child, grandchild: `/proc/${line}` };
}

describe("A test process that is broken off", () => {
  it("takes along what it has started", async () => {
    const { child, grandchild } = await start();
    expect(existsSync(grandchild)).to.equal(true);
    killGroup(child);
    await waitFor("both to be gone", () => !existsSync(grandchild) && child.signalCode === "SIGKILL");
  });

  it("takes along what it has left when it ended by itself", async () => {
    const { child, grandchild } = await start();
    child.kill("SIGKILL");
    await waitFor("its end", () => child.signalCode !== null);
    expect(existsSync(grandchild)).to.equal(true);
    killGroup(child);
    await waitFor("that to be gone too", () => !existsSync(grandchild));
    killGroup(child);
  });
});
