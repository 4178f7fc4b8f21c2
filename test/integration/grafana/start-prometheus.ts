import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { freePort } from "../../support/free-port.js";
import { waitFor } from "../../support/wait-for.js";
import { findTool } from "./lab-tools.js";

export interface Target {
  readonly job: string;
  readonly port: number;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface Prometheus {
  /** The result of an instant query. @throws when Prometheus refuses the expression. */
  query(expr: string): Promise<readonly { metric: Record<string, string>; value: [number, string] }[]>;
  close(): Promise<void>;
}

const PATH = "usr/bin/prometheus";

export function whyNoPrometheus(): string | null {
  return findTool(PATH) === null ? "no prometheus; install Debian's package, or build the lab" : null;
}

/** A real Prometheus that scrapes these ports of loopback once a second. */
export async function startPrometheus(targets: readonly Target[]): Promise<Prometheus> {
  const directory = await mkdtemp(join(tmpdir(), "evenkeel-prometheus-"));
  const port = await freePort();
  const [command, ...args] = findTool(PATH)!;
  const config = {
    global: { scrape_interval: "1s", scrape_timeout: "1s" },
    scrape_configs: [...new Set(targets.map(({ job }) => job))].map((job) => ({
      job_name: job,
      static_configs: targets
        .filter((target) => target.job === job)
        .map(({ port: target, labels }) => ({ targets: [`127.0.0.1:${target}`], labels: labels ?? {} })),
    })),
  };
  await writeFile(join(directory, "prometheus.yml"), stringify(config));
  const flags = [
    `--config.file=${directory}/prometheus.yml`,
    `--storage.tsdb.path=${directory}/data`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  const child = spawn(command!, [...args, ...flags], { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => {
    log = `${log}${chunk.toString()}`.slice(-2000);
  });
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const close = async () => {
    child.kill("SIGKILL");
    await gone;
    await rm(directory, { recursive: true });
  };
  const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  try {
    await waitFor("Prometheus to be ready", async () => (await ask("/-/ready")).ok);
  } catch (error) {
    await close();
    throw new Error(log, { cause: error });
  }
  return {
    async query(expr) {
      const answer = (await (await ask(`/api/v1/query?query=${encodeURIComponent(expr)}`)).json()) as {
        status: string;
        error?: string;
        data: { result: { metric: Record<string, string>; value: [number, string] }[] };
      };
      if (answer.status !== "success") throw new Error(`${answer.error}: ${expr}`);
      return answer.data.result;
    },
    close,
  };
}
