import { existsSync, readFileSync } from "node:fs";
import { expect } from "chai";
import { execa } from "execa";
import { parse } from "yaml";
import { parseConfig } from "../../../platform/load-config.js";
import { projectPath } from "../../../platform/paths.js";
import { DEFAULT_POLICY_CONFIG } from "../../../policies/config.js";
import { parseConstraints } from "../../../policies/constraints.js";
import { decide } from "../../../policies/decide.js";
import { findTool } from "../../integration/grafana/lab-tools.js";

interface BindMount {
  readonly source: string;
  readonly target: string;
  readonly read_only: boolean;
  readonly bind: { readonly create_host_path: boolean };
}
interface Service {
  readonly image?: string;
  readonly build?: { readonly dockerfile: string };
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly volumes?: readonly (string | BindMount)[];
  readonly ports?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly configs?: readonly { readonly source: string; readonly target: string }[];
  readonly secrets?: readonly object[];
  readonly read_only?: boolean;
}
const FILE = projectPath("docker-compose.yml");
const compose = parse(readFileSync(FILE, "utf8")) as { services: Record<string, Service>; volumes: object; networks: object };
const services = Object.entries(compose.services);
const NOW = 1000;
const hotHistory = Array.from({ length: 60 }, (_, index) => ({ at: NOW - 295 + index * 5, cpuRatio: 0.95, memoryRatio: 0.25 }));
/** The scheduler's settings, as a reader of docs/installation.md writes them for compose. */
function settingsOfTheManual(): string {
  const page = readFileSync(projectPath("docs/installation.md"), "utf8");
  return /^install -m 644 \/dev\/stdin \/etc\/evenkeel\/scheduler\/config\.json <<'END'\n([\s\S]*?)^END$/m.exec(page)?.[1] ?? "";
}
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

    it(`${name}: mounts and builds from what exists or is refused, and listens on loopback unless told otherwise`, () => {
      for (const volume of service.volumes ?? []) {
        if (typeof volume !== "string") {
          expect(volume).to.include({ read_only: true }).and.to.have.nested.property("bind.create_host_path", false);
          continue;
        }
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

  it("lets the scheduler follow its settings: the folder is mounted, since a single file is left behind when an editor replaces it", () => {
    const { environment, volumes } = compose.services["scheduler"]!;
    const { source, target } = volumes!.find((volume): volume is BindMount => typeof volume !== "string")!;
    expect(target).to.equal(source);
    expect(environment!["EVENKEEL_CONFIG"]).to.equal(`${target}/config.json`);
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

    it("is valid, and gives the scheduler its secrets in the files that its settings name in docs/installation.md", async () => {
      const { stdout, stderr, exitCode } = await config(environment);
      expect(exitCode, stderr).to.equal(0);
      const { configs } = JSON.parse(stdout) as { configs: Readonly<Record<string, { content: string }>> };
      const secrets = new Map(compose.services["scheduler"]!.configs!.map(({ source, target }) => [target, configs[source]!.content]));
      const { redis, scheduler } = parseConfig(settingsOfTheManual(), "config.json");
      expect(secrets.get(redis.passwordFile!)).to.equal("secret");
      expect(secrets.get(scheduler.operatorTokenFile!)).to.equal("a-token-of-16-ch");
      expect(scheduler.mode).to.equal("observe");
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
