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
import { API_BASE } from "../../../scheduler/protocol.js";
import { waitFor } from "../../support/wait-for.js";

const FILE = "/opt/evenkeel/docker-compose.yml";

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
  this.timeout(180_000);
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

  const compose = async (args: readonly string[], more: Readonly<Record<string, string>> = {}) => {
    const env = {
      EVENKEEL_REDIS_PASSWORD: "secret",
      EVENKEEL_OPERATOR_TOKEN: "a-token-of-16-ch",
      GRAFANA_ADMIN_PASSWORD: "admin2",
      ...more,
    };
    const { stdout, stderr, exitCode } = await node.exec(["docker", "compose", "-f", FILE, "-f", "/shared/images.yml", ...args], {
      env,
      reject: false,
    });
    expect(exitCode, stderr).to.equal(0);
    return stdout;
  };
  const up = async (args: readonly string[], more?: Readonly<Record<string, string>>) => {
    await compose(["up", "-d", "--no-build", "--pull", "never", ...args], more);
    await waitFor(
      "the scheduler to be healthy",
      async () => (await compose(["ps", "--format", "{{.Health}}", "scheduler"])).trim() === "healthy",
      {
        deadlineSeconds: 60,
        everyMilliseconds: 500,
      },
    );
  };
  const modeOf = async () => {
    const ask = `fetch("http://127.0.0.1:8080${API_BASE}/status").then((answer) => answer.json()).then(({ mode }) => console.log(mode))`;
    return (await compose(["exec", "-T", "scheduler", "node", "-e", ask])).trim();
  };

  it("starts Redis and a scheduler that has its configuration, reaches Redis, and only observes", async () => {
    await up(["scheduler"]);
    expect(await modeOf()).to.equal("observe");
  });

  it("gives the scheduler the mode of the environment when it is made anew, as docs/installation.md has it", async () => {
    await up(["--force-recreate", "scheduler"], { EVENKEEL_MODE: "approve" });
    expect(await modeOf()).to.equal("approve");
  });
});
