import type Docker from "dockerode";
import { type Fleet, startFleet } from "../../../lab/fleet/fleet.js";
import { toContainerCreateOptions } from "../../../lab/workloads/container-spec.js";
import { type LabWorkload, WORKLOADS } from "../../../lab/workloads/workload-table.js";
import type { PreflightAnswer } from "../../../scheduler/api-shapes.js";
import { waitFor } from "../../support/wait-for.js";

export const FIRST = "node1";
export const SECOND = "node2";
const GIBIBYTE = 2 ** 30;

export const CANDIDATE: LabWorkload = {
  ...WORKLOADS.find(({ name }) => name === "burner")!,
  name: "candidate",
  address: "10.77.0.150",
  macAddress: "02:45:4b:00:00:96",
};

export type Change = (base: Docker.ContainerCreateOptions) => Docker.ContainerCreateOptions;

/** A large node, a small one, and a scheduler that only watches. */
export interface ExaminedFleet {
  readonly fleet: Fleet;
  readonly first: Docker;
  readonly second: Docker;
  shell(node: string, script: string, input?: string): Promise<string>;
  /** Starts the candidate on the first node, changed, running a program if one is given, while `look` looks. False: the machine cannot have it. */
  withCandidate(how: { change?: Change; program?: string }, look: (container: Docker.Container) => Promise<void>): Promise<boolean>;
  /** The codes of everything that stands in the way of the candidate's move to the second node. */
  blockers(): Promise<string[]>;
  preflight(): Promise<PreflightAnswer>;
  /** Puts a script in the place of a program of the node while `doing` runs. The real one is then at `<path>.real`. */
  withProgram<T>(node: string, path: string, script: string, doing: () => Promise<T>): Promise<T>;
  close(): Promise<string[]>;
}

export async function startExaminedFleet(name: string): Promise<ExaminedFleet> {
  const nodes = [
    { name: FIRST, cpuCores: 1, memoryBytes: 3 * GIBIBYTE },
    { name: SECOND, cpuCores: 1, memoryBytes: GIBIBYTE },
  ];
  const fleet = await startFleet({ name, nodes, withPrometheus: false, mode: "observe" });
  const [first, second] = [fleet.lab.node(FIRST).docker, fleet.lab.node(SECOND).docker];
  const shell = async (node: string, script: string, input?: string) =>
    (await fleet.lab.node(node).exec(["sh", "-c", script], input === undefined ? {} : { input })).stdout;

  const ask = async () => {
    const response = await fetch(`${fleet.url}/api/v1/preflight`, {
      method: "POST",
      headers: { authorization: `Bearer ${fleet.settings.operatorToken}`, "content-type": "application/json" },
      body: JSON.stringify({ workload: CANDIDATE.name, to: SECOND }),
    });
    return { status: response.status, body: (await response.json()) as PreflightAnswer };
  };
  // Until its container is in a sample nothing is known of it.
  const preflight = () =>
    waitFor(
      "an answer on the candidate",
      async () => {
        const { status, body } = await ask();
        return status === 200 ? body : null;
      },
      { deadlineSeconds: 60 },
    );

  return {
    fleet,
    first,
    second,
    shell,
    preflight,
    blockers: async () => (await preflight()).findings.filter(({ severity }) => severity === "fail").map(({ code }) => code),
    withCandidate: async ({ change = (base) => base, program }, look) => {
      const base = toContainerCreateOptions(CANDIDATE);
      const options = change(program === undefined ? base : { ...base, Cmd: ["python3", "-S", "-c", program] });
      const container = await first.createContainer(options);
      try {
        await container.start();
        if (program !== undefined) {
          const said = await waitFor("the program", async () =>
            /ready|cannot: .*/.exec((await container.logs({ stdout: true, stderr: true })).toString()),
          );
          if (said[0] !== "ready") return false;
        }
        // The last one's container may still be in the newest sample.
        await waitFor("a sample of it", async () => (await fleet.redis.get(fleet.keys.nodeSample(FIRST)))?.includes(container.id), {
          deadlineSeconds: 60,
        });
        await look(container);
        return true;
      } finally {
        await container.remove({ force: true, v: true }).catch((error: { statusCode?: number }) => {
          // The test may have done so itself.
          if (error.statusCode !== 404) throw error;
        });
      }
    },
    withProgram: async (node, path, script, doing) => {
      await shell(node, `mv ${path} ${path}.real && cat >${path} && chmod 755 ${path}`, `#!/bin/sh\n${script}\n`);
      try {
        return await doing();
      } finally {
        await shell(node, `mv ${path}.real ${path}`);
      }
    },
    close: () => fleet.close(),
  };
}
