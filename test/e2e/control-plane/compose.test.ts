import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { parse } from "yaml";
import type { LabNode } from "../../../lab/docker-host.js";
import { cacheFolder } from "../../../lab/folders.js";
import { buildImages } from "../../../lab/images/build-images.js";
import type { ImageRecipe } from "../../../lab/images/image-table.js";
import { importImage } from "../../../lab/images/import-images.js";
import { type Lab, startLab } from "../../../lab/lab.js";
import { buildRoot } from "../../../lab/root-file-system.js";
import { LAB_PACKAGES } from "../../../lab/root-recipe.js";
import { projectPath } from "../../../platform/paths.js";
import type { StatusAnswer } from "../../../scheduler/api-shapes.js";
import { API_BASE } from "../../../scheduler/protocol.js";
import { waitFor } from "../../support/wait-for.js";

const COMPOSE = "/opt/evenkeel/docker-compose.yml";
const FOLDER = "/etc/evenkeel/scheduler";
const FILE = `${FOLDER}/config.json`;
const API = `http://127.0.0.1:8080${API_BASE}`;
const TOKEN = "a-token-of-16-ch";

/** In place of the images that compose would pull and build: Debian's redis-server and Node.js. What the scheduler's image holds, another test knows. */
const IMAGE: ImageRecipe = {
  name: "control-plane",
  reference: "evenkeel-lab/control-plane:1",
  programs: ["/usr/bin/node", "/usr/bin/redis-server", "/usr/bin/redis-cli"],
  trees: [{ inside: "/usr/share", named: /^nodejs$/, without: /^(docs?|man|test)$/ }],
  folders: ["/data"],
  files: () => new Map(),
  changes: ["ENV PATH=/usr/sbin:/usr/bin:/sbin:/bin", "WORKDIR /opt/evenkeel", 'CMD ["node","dist/scheduler/main.js"]'],
};
const PROJECT = { services: { scheduler: { user: "1000:1000", volumes: ["/opt/evenkeel:/opt/evenkeel:ro"] } } };

describe("docker-compose.yml, on a real Docker", function () {
  this.timeout(600_000);
  let lab: Lab;
  let node: LabNode;

  before(async () => {
    const root = process.env["EVENKEEL_LAB_ROOT"] ?? (await buildRoot("lab", LAB_PACKAGES));
    const [image] = await buildImages(root, cacheFolder(), { recipes: [IMAGE] });
    lab = await startLab({ name: "test-compose", nodes: [{ name: "one", cpuCores: 1, memoryBytes: 2 ** 30 }] });
    node = lab.node("one");
    const { services } = parse(readFileSync(projectPath("docker-compose.yml"), "utf8")) as { services: Record<string, { image: string }> };
    for (const name of ["redis", "scheduler"]) await importImage(node.docker, { ...image!, reference: services[name]!.image });
    await writeFile(join(lab.sharedDirectory, "images.yml"), JSON.stringify(PROJECT));
  });
  after(async () => {
    expect((await lab?.close()) ?? []).to.deep.equal([]);
  });

  const run = (args: readonly string[], more: Readonly<Record<string, string>> = {}) => {
    const env = { EVENKEEL_REDIS_PASSWORD: "secret", EVENKEEL_OPERATOR_TOKEN: TOKEN, GRAFANA_ADMIN_PASSWORD: "admin2", ...more };
    return node.exec(["docker", "compose", "-f", COMPOSE, "-f", "/shared/images.yml", ...args], { env, reject: false });
  };
  const compose = async (args: readonly string[], more?: Readonly<Record<string, string>>) => {
    const { stdout, stderr, exitCode } = await run(args, more);
    expect(exitCode, stderr).to.equal(0);
    return stdout.trim();
  };
  const up = async (args: readonly string[], more?: Readonly<Record<string, string>>) => {
    await compose(["up", "-d", "--no-build", "--pull", "never", ...args], more);
    await waitFor(
      "the scheduler to be healthy",
      async () => (await compose(["ps", "--format", "{{.Health}}", "scheduler"])) === "healthy",
      {
        deadlineSeconds: 60,
        everyMilliseconds: 500,
      },
    );
  };
  const scheduler = () => compose(["ps", "-q", "scheduler"]);
  const inScheduler = (program: string) => compose(["exec", "-T", "scheduler", "node", "-e", program]);
  const status = async () => {
    const ask = `fetch("${API}/status").then((answer) => answer.text()).then((text) => console.log(text))`;
    return JSON.parse(await inScheduler(ask)) as StatusAnswer;
  };
  /** The HTTP status of a request that only operators may make. */
  const askPause = async (token: string) => {
    const request = { method: "DELETE", headers: { authorization: `Bearer ${token}` } };
    return Number(await inScheduler(`fetch("${API}/pause", ${JSON.stringify(request)}).then((answer) => console.log(answer.status))`));
  };

  it("is refused without the scheduler's settings, rather than started with others", async () => {
    const { exitCode, stderr } = await run(["up", "-d", "--no-build", "--pull", "never", "scheduler"]);
    expect(exitCode).not.to.equal(0);
    expect(stderr).to.contain(FOLDER).and.to.contain("does not exist");
  });

  it("starts Redis and a scheduler that has its settings and secrets, reaches Redis, and only observes", async () => {
    const page = readFileSync(projectPath("docs/installation.md"), "utf8");
    const asTheManualSays = /^```sh\n(install -d \/etc\/evenkeel\/scheduler\n[\s\S]*?)^```$/m.exec(page)?.[1];
    await node.exec(["sh", "-c", asTheManualSays!]);
    await up(["scheduler"]);
    expect((await status()).mode).to.equal("observe");
    expect(await askPause("another-token-of-24-chars")).to.equal(401);
    expect(await askPause(TOKEN)).to.equal(200);
  });

  const edits: readonly (readonly [string, string])[] = [
    ["written in place", `sed 's/"observe"/"approve"/' ${FILE} >/tmp/new && cat /tmp/new >${FILE}`],
    ["replaced by another file, as editors do", `sed -i 's/"approve"/"auto"/' ${FILE}`],
  ];
  for (const [index, [how, edit]] of edits.entries()) {
    it(`lets the running scheduler take over its settings when the file is ${how}`, async () => {
      const container = await scheduler();
      await node.exec(["sh", "-c", edit]);
      const mode = index === 0 ? "approve" : "auto";
      await waitFor("the new mode to be in force", async () => (await status()).mode === mode, { everyMilliseconds: 500 });
      expect(await scheduler()).to.equal(container);
    });
  }

  it("keeps the settings in force, and says why, when the file is edited into something wrong", async () => {
    await node.exec(["sh", "-c", `sed -i 's/"auto"/"always"/' ${FILE}`]);
    const { refused } = await waitFor(
      "the refusal",
      async () => {
        const { policies } = await status();
        return policies.refused !== null && policies;
      },
      { everyMilliseconds: 500 },
    );
    expect(refused).to.contain(FILE).and.to.contain("scheduler.mode");
    expect((await status()).mode).to.equal("auto");
  });

  it("gives the scheduler another operators' token when it is made anew, as docs/installation.md has it", async () => {
    await node.exec(["sh", "-c", `sed -i 's/"always"/"auto"/' ${FILE}`]);
    await up(["--force-recreate", "scheduler"], { EVENKEEL_OPERATOR_TOKEN: "another-token-of-24-chars" });
    expect(await askPause("another-token-of-24-chars")).to.equal(200);
  });
});
