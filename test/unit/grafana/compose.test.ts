import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { execa } from "execa";
import { parse } from "yaml";
import { parseConfig } from "../../../platform/config.js";
import { projectPath } from "../../../platform/paths.js";
import { DEFAULT_POLICY_CONFIG } from "../../../policies/config.js";
import { parseConstraints } from "../../../policies/constraints.js";
import { decide } from "../../../policies/decide.js";
import { findTool } from "../../integration/grafana/lab-tools.js";

interface Service {
  readonly image?: string;
  readonly build?: { readonly dockerfile: string };
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly configs?: readonly object[];
  readonly secrets?: readonly object[];
  readonly read_only?: boolean;
}
const FILE = projectPath("docker-compose.yml");
const compose = parse(readFileSync(FILE, "utf8")) as { services: Record<string, Service>; volumes: object; networks: object };
const services = Object.entries(compose.services);
const NOW = 1000;
const hotHistory = Array.from({ length: 60 }, (_, index) => ({ at: NOW - 295 + index * 5, cpuRatio: 0.95, memoryRatio: 0.25 }));
const HOST_PLUGINS = ["/usr/libexec/docker/cli-plugins/docker-compose", "/usr/local/lib/docker/cli-plugins/docker-compose"];
const PLUGIN = "usr/libexec/docker/cli-plugins/docker-compose";

describe("docker-compose.yml", () => {
  it("runs redis, scheduler, Prometheus and Grafana", () => {
    expect(Object.keys(compose.services)).to.have.members(["redis", "scheduler", "prometheus", "grafana"]);
  });

  for (const [name, service] of services) {
    it(`${name}: is pinned to a version and has a health check`, () => {
      expect(service.image).to.match(/:v?\d+\.\d+\.\d+/);
      expect(service.healthcheck?.test[0]).to.be.oneOf(["CMD", "CMD-SHELL"]);
    });

    it(`${name}: does not ask compose to copy a file into a root file system that is read-only, which it cannot`, () => {
      const copied = [...(service.configs ?? []), ...(service.secrets ?? [])];
      expect(service.read_only === true && copied.length > 0).to.equal(false);
    });

    it(`${name}: mounts and builds from files that exist, and listens on loopback unless told otherwise`, () => {
      for (const volume of service.volumes ?? []) {
        const source = volume.split(":")[0]!;
        expect(source.startsWith("./") ? existsSync(projectPath(source)) : source in compose.volumes, volume).to.equal(true);
      }
      if (service.build !== undefined) expect(existsSync(projectPath(service.build.dockerfile))).to.equal(true);
      for (const port of service.ports ?? []) expect(port).to.match(/^(127\.0\.0\.1|\$\{\w+:-127\.0\.0\.1\}):/);
    });
  }

  it("is never moved by what it runs (a balancer that moves itself), whatever node it is on", () => {
    const node = { id: "n1", state: "ready", cpuCapacityCores: 4, memoryCapacityBytes: 2 ** 33 } as const;
    const hot = { ...node, cpuUsedCores: 3.8, memoryUsedBytes: 2 ** 31, history: hotHistory, maintenance: null, labels: {} };
    const cool = { ...hot, id: "n2", cpuUsedCores: 0.1, history: [] };
    for (const [name, { labels = {} }] of services) {
      const workload = {
        id: name,
        name,
        node: "n1",
        cpuUsedCores: 1.5,
        memoryUsedBytes: 2 ** 28,
        cpuLimitCores: null,
        memoryLimitBytes: null,
      };
      const workloads = [{ ...workload, constraints: parseConstraints(labels), lastMovedAt: null }];
      const plan = decide({ at: NOW, nodes: [hot, cool], workloads, migrations: [] }, DEFAULT_POLICY_CONFIG, NOW);
      expect(
        plan.skips.map(({ reason }) => reason),
        name,
      ).to.deep.equal(["workload-never"]);
    }
    expect(readFileSync(projectPath("scheduler/Dockerfile"), "utf8")).to.match(/^LABEL io\.evenkeel\.mode=never$/m);
  });

  it("keeps all that Redis holds", () => {
    const { command } = compose.services["redis"] as { command: string[] };
    expect(command.join(" "))
      .to.contain("--appendonly yes")
      .and.to.contain("--maxmemory-policy noeviction")
      .and.to.contain("--requirepass");
  });

  const tool = process.env["EVENKEEL_COMPOSE"] === undefined ? findTool(PLUGIN, HOST_PLUGINS) : [process.env["EVENKEEL_COMPOSE"]];
  const why =
    tool === null ? " (skipped: no compose tool here; it is in Debian's package docker-compose, or name one in EVENKEEL_COMPOSE)" : "";

  describe(`for the compose tool${why}`, () => {
    const environment = {
      EVENKEEL_REDIS_PASSWORD: "secret",
      EVENKEEL_OPERATOR_TOKEN: "a-token-of-16-ch",
      GRAFANA_ADMIN_PASSWORD: "admin2",
    };
    const config = (env: Record<string, string>, ...more: string[]) => {
      const [command, ...args] = tool!;
      const files = [FILE, ...more].flatMap((file) => ["-f", file]);
      return execa(command!, [...args, ...files, "config", "--format", "json"], { env, reject: false });
    };
    before(function () {
      if (tool === null) this.skip();
    });

    it("is valid, and the scheduler's configuration is good JSON", async () => {
      const { stdout, stderr, exitCode } = await config(environment);
      expect(exitCode, stderr).to.equal(0);
      const { configs } = JSON.parse(stdout) as { configs: { scheduler: { content: string } } };
      expect(JSON.parse(configs.scheduler.content)).to.deep.equal({
        redis: { url: "redis://redis:6379", password: "secret" },
        scheduler: { operatorToken: "a-token-of-16-ch", mode: "observe" },
      });
    });

    it("takes the mode from the environment, and all settings from an operator's override file as docs/installation.md shows it", async () => {
      const modeOf = (stdout: string) =>
        JSON.parse((JSON.parse(stdout) as { configs: { scheduler: { content: string } } }).configs.scheduler.content) as {
          scheduler: { mode: string };
          policies?: object;
        };
      expect(modeOf((await config({ ...environment, EVENKEEL_MODE: "approve" })).stdout).scheduler.mode).to.equal("approve");
      const page = readFileSync(projectPath("docs/installation.md"), "utf8");
      const shown = /^```yaml\n(configs:\n[\s\S]*?)^```$/m.exec(page)?.[1];
      const folder = await mkdtemp(join(tmpdir(), "evenkeel-compose-"));
      try {
        const override = join(folder, "docker-compose.override.yml");
        await writeFile(override, shown ?? "");
        const { stdout, stderr, exitCode } = await config({ ...environment, EVENKEEL_MODE: "auto" }, override);
        expect(exitCode, stderr).to.equal(0);
        const settings = modeOf(stdout);
        expect([settings.scheduler.mode, settings.policies]).to.deep.equal(["auto", { movesPerHour: 20 }]);
        expect(() => parseConfig(JSON.stringify(settings), override)).not.to.throw();
      } finally {
        await rm(folder, { recursive: true });
      }
    });

    for (const missing of Object.keys(environment)) {
      it(`refuses to start without ${missing}`, async () => {
        const { exitCode, stderr } = await config({ ...environment, [missing]: "" });
        expect(exitCode).not.to.equal(0);
        expect(stderr).to.contain(missing);
      });
    }
  });
});
