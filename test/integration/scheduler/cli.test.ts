import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { listMigrations } from "../../../platform/migration-record.js";
import type { NodeAnswer } from "../../../scheduler/api-shapes.js";
import { OPERATOR_TOKEN } from "../../support/running-scheduler.js";
import { waitFor } from "../../support/wait-for.js";
import { COMMAND, CommandLineFleet } from "./command-line-fleet.js";

describe("the command line", () => {
  const here = new CommandLineFleet();

  it("lists nodes and workloads as a table without colours, and as JSON", async () => {
    const nodes = await here.run(["nodes"]);
    expect(nodes).to.include({ code: 0, err: "" });
    expect(nodes.out)
      .to.match(/^NODE +STATE +CPU/)
      .and.to.match(/^n1 +level +\d+ %/m);
    expect(nodes.out).not.to.contain("\x1b");
    expect((await here.json<NodeAnswer[]>(["nodes"])).map(({ id }) => id)).to.deep.equal(["n1", "n2"]);
    expect((await here.run(["workloads", "--node", "n2"])).out)
      .to.match(/^db +[0-9a-f]{12} +n2 +0\.20 +256 MiB/m)
      .and.not.to.contain("web");
    expect((await here.run(["status"])).out).to.contain(`Leader ${here.scheduler.url}, term 1`);
  });

  it("lists a workload with each node on which a copy of it runs", async () => {
    here.fleet.node("n2").workloads.push({ name: "web" });
    const ofNode = async (node: string) => (await here.run(["workloads", "--node", node])).out;
    await waitFor("the conflict", async () => (await ofNode("n1")).includes("runs on n1 and n2"));
    expect(await ofNode("n2"))
      .to.match(/^web .*runs on n1 and n2: stop all but one/m)
      .and.to.match(/^db /m);
  });

  it("says of a node that is there that nothing runs on it", async () => {
    here.fleet.node("n2").workloads = [];
    await waitFor("it to be seen", async () => (await here.run(["workloads", "--node", "n2"])).out === "No workload runs there.\n");
    expect(await here.json(["workloads", "--node", "n2"])).to.deep.equal([]);
    expect(await here.run(["workloads", "--node", "n9", "--json"])).to.include({ code: 4, out: "" });
  });

  it("explains the plan", async () => {
    await here.run(["drain", "n1"]);
    await waitFor("a skip", async () => (await here.run(["plan", "--explain"])).out.includes("workload-never"));
    const { out } = await here.run(["plan", "--explain"]);
    expect(out)
      .to.match(/^fixed +n1 +any +workload-never +Its label/m)
      .and.to.match(/^n1 +draining/m);
  });

  it("foresees a drain, live and offline on a saved snapshot, and changes nothing", async () => {
    const live = await here.run(["what-if", "--drain", "n1"]);
    expect(live.code).to.equal(0);
    expect(live.out)
      .to.match(/^web +n1 +n2 +maintenance/m)
      .and.to.match(/^fixed +n1 +workload-never/m);
    const file = join(here.folder, "snapshot.json");
    await writeFile(file, (await here.run(["snapshot"])).out);
    const offline = await here.json<{ moves: { workload: string; to: string }[] }>(["simulate", file, "--drain", "n1"]);
    expect(offline.moves.map(({ to }) => to)).to.deep.equal(["n2"]);
    const strict = join(here.folder, "strict.json");
    await writeFile(strict, JSON.stringify({ policies: { headroom: { memoryRatio: 0.01 } } }));
    expect(await here.json<{ moves: unknown[] }>(["simulate", file, "--drain", "n1", "--config", strict])).to.deep.include({ moves: [] });
    expect(await listMigrations(here.redis, here.keys)).to.deep.equal([]);
    expect(await here.run(["what-if", "--drain", "n9"])).to.include({ code: 4 });
    expect(await here.run(["what-if", "--lose", "zone-9"])).to.include({ code: 4 });
    expect((await here.run(["simulate", strict])).err).to.contain("is not what `evenkeel snapshot` prints");
  });

  const wrong: [string, string[], Record<string, string>, number, string][] = [
    ["an unknown command", ["nodse"], {}, 2, "Did you mean nodes?"],
    ["a missing option", ["migrate", "web"], {}, 2, "--to"],
    ["a mode that nobody understands", ["migrate", "web", "--to", "n2", "--mode", "soon"], {}, 2, "mode"],
    ["a duration that is none", ["drain", "n1", "--deadline", "soon"], {}, 2, "not a duration"],
    ["an ambiguous or wrong limit", ["migrations", "--limit", "-3"], {}, 2, "limit"],
    ["an address that is none", ["nodes", "--url", "localhost"], {}, 2, "not an http(s) URL"],
    ["nobody at the address", ["nodes", "--url", "http://127.0.0.1:1"], {}, 3, "EVENKEEL_URL"],
    ["a wrong token", ["drain", "n1", "--token", "wrong"], {}, 4, "EVENKEEL_TOKEN"],
    ["no token", ["drain", "n1"], { EVENKEEL_TOKEN: "" }, 4, "no bearer token"],
    ["no such node", ["workloads", "--node", "n9"], {}, 4, "`evenkeel nodes` lists them"],
    ["no such workload", ["migrate", "none", "--to", "n2"], {}, 4, "`evenkeel workloads` lists them"],
    ["a constraint in the way", ["migrate", "fixed", "--to", "n2"], {}, 4, "io.evenkeel.mode"],
  ];
  for (const [what, args, extra, code, hint] of wrong) {
    it(`exits ${code} on ${what}, with a hint`, async () => {
      const ended = await here.run(args, extra);
      expect([ended.code, ended.out]).to.deep.equal([code, ""]);
      expect(ended.err).to.contain(hint);
    });
  }

  it("gives errors as JSON under --json", async () => {
    const ended = await here.run(["migrate", "fixed", "--to", "n2", "--json"]);
    const { error } = JSON.parse(ended.err) as { error: { code: string; facts: { reason: string } } };
    expect([error.code, error.facts.reason]).to.deep.equal(["MOVE_REFUSED", "workload-never"]);
  });

  it("takes the token from a file", async () => {
    const file = join(here.folder, "token");
    await writeFile(file, `${OPERATOR_TOKEN}\n`);
    expect((await here.run(["undrain", "n1", "--token-file", file], { EVENKEEL_TOKEN: "wrong" })).code).to.equal(0);
    expect((await here.run(["undrain", "n1", "--token-file", `${file}-not`])).code).to.equal(2);
  });

  it("ends quietly when its reader has seen enough", async () => {
    const child = spawn("sh", ["-c", `"${COMMAND}" nodes --json | head -c 1`], { env: here.environment() });
    expect(await new Promise((resolve) => child.once("exit", resolve))).to.equal(0);
  });
});
