import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { type Fleet, startFleet } from "../../../lab/fleet/fleet.js";
import { startPart } from "../../../lab/fleet/parts.js";
import { WORKLOADS } from "../../../lab/workloads/workload-table.js";
import { listMigrations, readMigration } from "../../../platform/migration-record.js";
import type { NodeAnswer } from "../../../scheduler/api-shapes.js";
import { API_BASE } from "../../../scheduler/protocol.js";
import { waitFor } from "../../support/wait-for.js";
import { changeSettings } from "../support/change-settings.js";
import { expectKept } from "../support/expect-kept.js";
import { settledOn } from "../support/traces.js";

const WEB = WORKLOADS.filter(({ name }) => name === "web");
const BURNERS = WORKLOADS.filter(({ name }) => name.startsWith("burner"));
/** Of a core: two of them are too much for a node, and one for another that is asked to stay below its bound. */
const BURN_PERCENT = 80;
const DEADLINE = { deadlineSeconds: 120, everyMilliseconds: 250 };
const OVERLOAD = { cpuDetectRatio: 0.58, cpuFixRatio: 0.5, holdSeconds: 6 };
/** How unsteady the workloads are is not the matter here: in the first minutes nobody knows. */
const CONSOLIDATE = { leadSeconds: 5, awakeSeconds: 600, fillDeviations: 1 };
const OFF = { enabled: false };
const POLICIES = {
  // While all is started, nodes are busy, and what is to sleep is empty.
  overload: { ...OVERLOAD, ...OFF },
  consolidate: { ...CONSOLIDATE, ...OFF },
  // What the burners do to the other nodes is not the matter either.
  health: OFF,
};

describe("A lab node that sleeps to save power", function () {
  this.timeout(600_000);
  let fleet: Fleet;
  let clients: Awaited<ReturnType<Fleet["startClients"]>>;
  let buttons: string;

  const node3 = () => fleet.lab.node("node3");
  const pressed = (button: string) =>
    waitFor(`the button ${button}`, async () => (await readdir(buttons).catch(() => [] as string[])).includes(button), DEADLINE);
  const isIn = (state: string) =>
    waitFor(
      `node3 to be ${state}`,
      async () => {
        const { nodes } = (await (await fetch(`${fleet.url}${API_BASE}/nodes`)).json()) as { nodes: NodeAnswer[] };
        return nodes.find(({ id }) => id === "node3")?.state === state;
      },
      DEADLINE,
    );

  before(async () => {
    const nodes = ["node1", "node2", "node3"].map((name) => ({ name, cpuCores: 1, memoryBytes: 2 * 1024 ** 3 }));
    const touch = (what: string) => ({ command: ["sh", "-c", `mkdir -p /shared/buttons && touch /shared/buttons/${what}-{node}`] });
    fleet = await startFleet({
      name: "e2e-power",
      nodes,
      withPrometheus: false,
      policies: POLICIES,
      nodeLabels: { node3: { "io.evenkeel.may-sleep": "true" } },
      scheduler: { power: { sleep: touch("sleep"), wake: touch("wake"), deadlineSeconds: 180 } },
    });
    buttons = join(fleet.lab.sharedDirectory, "buttons");
    for (const workload of BURNERS) await fleet.runWorkload(workload, "node1");
    for (const workload of WEB) await fleet.runWorkload(workload, "node3");
    clients = await fleet.startClients([...WEB, ...BURNERS]);
  });
  after(async () => {
    expect(await fleet?.close()).to.deep.equal([]);
  });

  it("is emptied first, by a move over the connection that a client has", async () => {
    const answers = async () => (await clients.report()).clients[0]!.requests;
    await changeSettings(fleet, { policies: { consolidate: { ...CONSOLIDATE, enabled: true } } });
    const record = await waitFor(
      "what runs there to have moved away",
      async () => (await listMigrations(fleet.redis, fleet.keys)).find(({ name, closedAt }) => name === "web" && closedAt !== null),
      DEADLINE,
    );
    expect(record, record.errorMessage ?? "").to.include({ from: "node3", reason: "consolidate", result: "succeeded" });
    expect(record.because).to.match(/^node3 can sleep: 1 workload fits elsewhere/);
    await settledOn(fleet, "web", record.to);
    const before = await answers();
    await waitFor("web to answer there", async () => (await answers()) > before + 3, DEADLINE);
    expectKept((await clients.report()).clients[0]!);
  });

  it("is put to sleep once it is empty and nothing needs it, and its power is really off", async () => {
    await pressed("sleep-node3");
    const { pid } = node3();
    await node3().stop();
    expect(existsSync(`/proc/${pid}`)).to.equal(false);
    await isIn("asleep");
  });

  it("is woken when the load asks for it, waited for while it boots, and takes a workload over the connection it had", async () => {
    await changeSettings(fleet, { policies: { overload: OVERLOAD } });
    for (const { name } of BURNERS) await clients.burn(name, BURN_PERCENT);
    await pressed("wake-node3");
    await isIn("waking");
    await node3().start();
    await node3().waitForDocker();
    await startPart(node3(), "collector", fleet.settings);
    await startPart(node3(), "executor", fleet.settings);
    await waitFor("its executor to listen", async () => (await node3().exec(["ss", "-ltnH", "sport = :9443"])).stdout !== "", DEADLINE);
    await waitFor("it to report", async () => (await fleet.redis.exists(fleet.keys.nodeSample("node3"))) === 1, DEADLINE);
    await waitFor("it to be awake", async () => (await fleet.redis.hget(fleet.keys.power, "node3"))?.includes("awake"), DEADLINE);

    const headers = { authorization: `Bearer ${fleet.settings.operatorToken}`, "content-type": "application/json" };
    const asked = await waitFor(
      "web to be free to go there",
      async () => {
        const answer = await fetch(`${fleet.url}${API_BASE}/migrations`, {
          method: "POST",
          headers,
          body: JSON.stringify({ workload: "web", to: "node3" }),
        });
        const body = (await answer.json()) as { migration?: { id: string }; error?: { code: string } };
        if (answer.status === 201) return body.migration!.id;
        // Evenkeel itself may be moving it there already, or elsewhere first.
        if (body.error?.code === "ALREADY_THERE") return "there";
        return null;
      },
      DEADLINE,
    );
    if (asked !== "there") {
      const record = await waitFor(
        "the move to end",
        async () => {
          const now = await readMigration(fleet.redis, fleet.keys, asked);
          return now?.closedAt == null ? null : now;
        },
        DEADLINE,
      );
      expect(record.result, record.errorMessage ?? "").to.equal("succeeded");
    }
    const before = (await clients.report()).clients[0]!;
    await waitFor("web to answer there", async () => (await clients.report()).clients[0]!.requests > before.requests + 3, DEADLINE);
    expectKept((await clients.report()).clients[0]!);
  });
});
