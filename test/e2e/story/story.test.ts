import { expect } from "chai";
import { execa } from "execa";
import { type Expression, expressions } from "../../../grafana/expressions.js";
import type { LabClients } from "../../../lab/clients/start-lab-clients.js";
import { type Fleet, startFleet } from "../../../lab/fleet/fleet.js";
import { STORY_NODES, STORY_POLICIES } from "../../../lab/start/fleet-options.js";
import { DRAINED_NODE, drainAndReturn, heatAndLevel, placeWorkloads, summariseMoves } from "../../../lab/start/scenario.js";
import { judge, type Summary, summariseClient } from "../../../lab/start/summary.js";
import { listMigrations } from "../../../platform/migration-record.js";
import { projectPath } from "../../../platform/paths.js";
import { waitFor } from "../../support/wait-for.js";

/** The drain is over by then: its panel had data while it went on. */
const whileItLasted = (expr: string) => `max_over_time((${expr})[15m:1s])`;

/** Nothing is unreadable in a healthy fleet, and the kernel keeps no pressure figures of a confined node. */
const NOT_HERE: readonly Expression["need"][] = ["failed-read", "pressure"];
const silent = () => undefined;

describe("the whole fleet, left to itself", () => {
  let fleet: Fleet;
  let clients: LabClients;
  let levels: { before: number; after: number };
  let drain: Summary["drain"];
  let leftovers: string[] | null = null;

  before(async () => {
    fleet = await startFleet({ name: "test-story", nodes: STORY_NODES, policies: STORY_POLICIES, mode: "auto" });
    clients = await placeWorkloads(fleet, silent);
  });

  after(async () => {
    if (leftovers === null) await fleet?.close();
  });

  it("levels the load of a node that was made hot", async () => {
    const seen = await heatAndLevel(fleet, clients, silent);
    levels = { before: seen.before.deviation, after: seen.after.deviation };
    expect(levels.after).to.be.lessThan(levels.before);
  });

  it("answers the command line while it works", async () => {
    const cli = (...words: string[]) =>
      execa(projectPath("bin/evenkeel"), words, {
        env: { EVENKEEL_URL: fleet.url!, EVENKEEL_TOKEN: fleet.settings.operatorToken },
        reject: false,
      });
    const nodes = await cli("nodes", "--json");
    expect(nodes.exitCode, nodes.stderr).to.equal(0);
    expect(nodes.stdout).to.include("node1").and.include("node3");
    const plan = await cli("plan", "--explain");
    expect(plan.exitCode, plan.stderr).to.equal(0);
    const missing = await cli("migrate", "nobody", "--to", "node1");
    expect(missing.exitCode).to.not.equal(0);
    expect(missing.stderr).to.include("No such workload");
  });

  it("empties a node under maintenance and reports it empty only then", async () => {
    drain = await drainAndReturn(fleet, silent);
    expect(drain.left).to.equal(0);
  });

  it("refuses a move whose name is taken on the destination, and says so", async () => {
    const from = await fleet.whereIs("pair");
    // Empty since the drain, so that nothing but the name stands in the way.
    const to = DRAINED_NODE;
    expect(from).to.be.oneOf(["node1", "node3"]);
    const { docker } = fleet.lab.node(to);
    const image = (await fleet.lab.node(from!).docker.getContainer("pair").inspect()).Config.Image;
    if ((await docker.listImages({ filters: { reference: [image] } })).length === 0) {
      await docker
        .loadImage(await fleet.lab.node(from!).docker.getImage(image).get())
        .then((stream) => new Promise((done) => stream.on("end", done).resume()));
    }
    const namesake = () => docker.createContainer({ name: "pair", Image: image });
    const ask = async () => {
      const answer = await fetch(`${fleet.url}/api/v1/migrations`, {
        method: "POST",
        headers: { authorization: `Bearer ${fleet.settings.operatorToken}`, "content-type": "application/json" },
        body: JSON.stringify({ workload: "pair", to }),
      });
      const { error } = (await answer.json()) as { error?: { message: string; facts?: { reason?: string } } };
      return error;
    };
    // What has come since the collector's last word only the executor knows.
    const collector = fleet.lab.node(to).service("collector")!;
    // A machine that others crowd leaves a node without room for a while, which is another reason to refuse.
    const taken = await waitFor(
      "the move to be taken up",
      async () => {
        await collector.kill("SIGSTOP");
        const container = await namesake();
        const error = await ask();
        if (error === undefined) return container;
        await collector.kill("SIGCONT");
        await container.remove();
        throw new Error(error.message);
      },
      { deadlineSeconds: 90, everyMilliseconds: 3000 },
    );
    const record = await waitFor(
      "the refusal",
      async () => (await listMigrations(fleet.redis, fleet.keys)).find((each) => each.errorCode === "PREFLIGHT_BLOCKED"),
      { deadlineSeconds: 60 },
    );
    await collector.kill("SIGCONT");
    expect(record.errorMessage).to.include("name-taken");
    expect(await fleet.whereIs("pair")).to.equal(from);
    // As soon as the collector has told, the scheduler itself says so.
    const refusal = await waitFor(
      "the scheduler to know the name",
      async () => {
        const error = await ask();
        return error?.facts?.reason === "target-has-name" && error.message;
      },
      { deadlineSeconds: 60, everyMilliseconds: 1000 },
    );
    expect(refusal).to.include("a container named pair that does not run");
    await taken.remove();
  });

  it("feeds every expression of the dashboards with data", async () => {
    for (const { dashboard, panel, expr, need } of expressions().filter((each) => !NOT_HERE.includes(each.need))) {
      await waitFor(
        `data for ${dashboard} / ${panel}: ${expr}`,
        async () => (await query(need === "drain" ? whileItLasted(expr) : expr)) > 0,
        { deadlineSeconds: 30 },
      );
    }
  });

  it("kept every connection, answered nothing wrong, and leaves nothing behind", async () => {
    const moves = await summariseMoves(fleet, clients);
    const seen = (await clients.report()).clients.map(summariseClient);
    leftovers = await fleet.close();
    const summary = judge({
      imbalanceBefore: levels.before,
      imbalanceAfter: levels.after,
      // The refusal above is part of this test, not of the story.
      moves: moves.filter((move) => move.reason !== "operator"),
      drain,
      clients: seen,
      leftovers,
      wallSeconds: 0,
    });
    expect(summary.failures).to.deep.equal([]);
  });

  /** How many series of the answer hold a number. */
  async function query(expr: string): Promise<number> {
    const answer = await fetch(`${fleet.prometheusUrl}/api/v1/query?${new URLSearchParams({ query: expr })}`);
    const body = (await answer.json()) as { status: string; error?: string; data?: { result: { value: [number, string] }[] } };
    if (body.status !== "success") throw new Error(`${expr}: ${body.error}`);
    return body.data!.result.filter((series) => series.value[1] !== "NaN").length;
  }
});
