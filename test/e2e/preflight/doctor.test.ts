import { expect } from "chai";
import { type Fleet, startFleet } from "../../../lab/fleet/fleet.js";
import { startPart } from "../../../lab/fleet/parts.js";
import { toContainerCreateOptions } from "../../../lab/workloads/container-spec.js";
import { type LabWorkload, WORKLOADS } from "../../../lab/workloads/workload-table.js";
import { issueCertificate, makeAuthority } from "../../../platform/tls.js";
import type { DoctorAnswer, PreflightAnswer } from "../../../scheduler/api-shapes.js";
import { waitFor } from "../../support/wait-for.js";
import { evenkeel } from "../support/command-line.js";

const FIRST = "node1";
const SECOND = "node2";
const GIBIBYTE = 2 ** 30;
const BURNER: LabWorkload = WORKLOADS.find(({ name }) => name === "burner")!;

describe("evenkeel doctor and evenkeel preflight", function () {
  this.timeout(600_000);
  let fleet: Fleet;

  before(async () => {
    const nodes = [FIRST, SECOND].map((name) => ({ name, cpuCores: 1, memoryBytes: 2 * GIBIBYTE }));
    fleet = await startFleet({ name: "e2e-doctor", nodes, withPrometheus: false, mode: "observe" });
    await fleet.runWorkload(BURNER, FIRST);
    await waitFor("the workload to be seen", async () => (await evenkeel(fleet, "workloads")).out.includes(BURNER.name));
  });

  after(async () => {
    expect((await fleet?.close()) ?? []).to.deep.equal([]);
  });

  const shell = (node: string, script: string) => fleet.lab.node(node).exec(["sh", "-c", script]);
  const doctor = (...nodes: string[]) => evenkeel<DoctorAnswer>(fleet, "doctor", ...nodes, "--json");
  const preflight = (workload: string, to: string) => evenkeel<PreflightAnswer>(fleet, "preflight", workload, "--to", to, "--json");

  /** What is wrong with a node, as `fail code`. */
  const troublesOf = ({ answer }: { answer: DoctorAnswer }, name: string) =>
    answer.nodes
      .find(({ node }) => node === name)!
      .checks.flatMap((check) => (check.status === "ok" ? [] : [`${check.status} ${check.finding.code}`]));

  it("finds two nodes and both ways between them fit for moves, and shows what each was asked", async () => {
    const { code, answer } = await doctor();
    expect(answer.nodes.map(({ node }) => node)).to.deep.equal([FIRST, SECOND]);
    for (const { node } of answer.nodes) {
      expect(troublesOf({ answer }, node).filter((line) => line.startsWith("fail"))).to.deep.equal([]);
      const topics = answer.nodes.find((each) => each.node === node)!.checks.map(({ topic }) => topic);
      expect(topics).to.include.members([
        "executor",
        "collector",
        "docker",
        "criu",
        "runc",
        "runtime",
        "certificate",
        "redis",
        "clock",
        "programs",
      ]);
    }
    expect(answer.pairs.map(({ from, to }) => `${from} ${to}`)).to.have.members([`${FIRST} ${SECOND}`, `${SECOND} ${FIRST}`]);
    expect(answer.pairs.flatMap(({ findings }) => findings)).to.deep.equal([]);
    expect(answer.nodes[0]!.modes).to.include("stopcopy");
    expect(code).to.equal(0);
  });

  it("says it to a person too: a table a node, the ways between them, and what to do", async () => {
    const { code, out } = await evenkeel(fleet, "doctor");
    expect(code).to.equal(0);
    expect(out)
      .to.match(/^node1: \d+ ok/m)
      .and.to.match(/^ok +criu +4\.\d/m)
      .and.to.contain("2 of 2 ways between nodes are clear");
  });

  it("needs the operators' token, since it puts nodes to work, and knows the nodes' names", async () => {
    const answer = await fetch(`${fleet.url}/api/v1/doctor`, { method: "POST" });
    expect(answer.status).to.equal(401);
    expect((await doctor("node9")).code).to.equal(4);
  });

  it("looks at one node before anything of Evenkeel runs there", async () => {
    const command = ["node", "/opt/evenkeel/dist/scheduler/cli/main.js", "doctor", "--local", "--json"];
    const run = () => fleet.lab.node(SECOND).exec(command, { env: { EVENKEEL_CONFIG: fleet.settings.configOf(SECOND) }, reject: false });
    const good = await run();
    expect(good.exitCode, good.stderr).to.equal(0);
    expect((JSON.parse(good.stdout) as { checks: { topic: string }[] }).checks.map(({ topic }) => topic)).to.include("redis");
    const programs = "/usr/bin/rsync /usr/bin/zstd";
    const criu = "/etc/criu/runc.conf";
    await shell(
      SECOND,
      `cp ${criu} ${criu}.good && echo "action-script /opt/theirs" >>${criu}; for it in ${programs}; do mv $it $it.away; done`,
    );
    const bad = await run();
    await shell(SECOND, `mv ${criu}.good ${criu}; for it in ${programs}; do mv $it.away $it; done`);
    expect(bad.exitCode).to.equal(4);
    for (const code of ["tool-missing", "zstd-missing", "criu-config"]) expect(bad.stdout).to.include(code);
  });

  it("finds nothing in the way of a workload that can be moved, and touches nothing", async () => {
    const look = async () => [
      await fleet.lab.node(FIRST).docker.getContainer(BURNER.name).inspect(),
      await fleet.lab.node(SECOND).docker.listContainers({ all: true }),
    ];
    // Until its use has been measured twice its limit counts, a whole node's worth.
    await waitFor("its use to be known", async () => (await preflight(BURNER.name, SECOND)).answer.isClear, { deadlineSeconds: 30 });
    const before = await look();
    const { code, answer } = await preflight(BURNER.name, SECOND);
    expect(answer).to.include({ name: BURNER.name, from: FIRST, to: SECOND, isClear: true, refusal: null });
    expect(answer.findings.filter(({ severity }) => severity === "fail")).to.deep.equal([]);
    expect(code).to.equal(0);
    expect(await look()).to.deep.equal(before);
    expect((await evenkeel<unknown[]>(fleet, "migrations", "--json")).answer).to.deep.equal([]);
  });

  it("names everything in the way of one that cannot, each with its cure", async () => {
    const { docker } = fleet.lab.node(FIRST);
    const spec = toContainerCreateOptions({ ...BURNER, name: "stuck", address: "10.77.0.152", macAddress: "02:45:4b:00:00:98" });
    const container = await docker.createContainer({
      ...spec,
      Tty: true,
      HostConfig: { ...spec.HostConfig, Binds: ["/srv:/host"] },
    });
    try {
      await container.start();
      await waitFor("it to be seen", async () => (await evenkeel(fleet, "workloads")).out.includes("stuck"));
      const { code, answer } = await preflight("stuck", SECOND);
      expect(code).to.equal(4);
      expect(answer.findings.map((each) => each.code)).to.include.members(["tty", "bind-mount"]);
      // What it mounts its collector has seen, so no policy would have asked; the words are those of the executor.
      const mounted = answer.findings.find((each) => each.code === "bind-mount")!.message;
      expect(answer.refusal).to.include({
        reason: "workload-bound",
        because: `It is bound to ${FIRST} by what it mounts (bind-mount: ${mounted}).`,
      });
      const { out } = await evenkeel(fleet, "preflight", "stuck", "--to", SECOND);
      expect(out)
        .to.match(/^stuck node1 -> node2: \d+ things in the way\.$/m)
        .and.to.contain("Create it without -t");
    } finally {
      await container.remove({ force: true });
    }
  });

  it("notices a certificate of another authority, and one that expires soon", async () => {
    const file = "/shared/etc/node2/node.pem";
    await shell(SECOND, `cp ${file} ${file}.good && cp /shared/etc/node2/node.key /shared/etc/node2/node.key.good`);
    const put = async (authority: Awaited<ReturnType<typeof makeAuthority>>, days: number) => {
      const pair = await issueCertificate(authority, SECOND, days);
      await fleet.lab.node(SECOND).exec(["sh", "-c", `cat >${file}`], { input: pair.certificate });
      await fleet.lab.node(SECOND).exec(["sh", "-c", "cat >/shared/etc/node2/node.key"], { input: pair.key });
    };
    const stranger = await makeAuthority("a stranger");
    await put(stranger, 100);
    const strange = troublesOf(await doctor(SECOND), SECOND);
    await shell(SECOND, "cp /shared/etc/node2/ca.pem /shared/etc/node2/ca.pem.good");
    await fleet.lab.node(SECOND).exec(["sh", "-c", "cat >/shared/etc/node2/ca.pem"], { input: stranger.certificate });
    await put(stranger, 10);
    const old = troublesOf(await doctor(SECOND), SECOND);
    await shell(SECOND, "cd /shared/etc/node2 && for name in ca.pem node.pem node.key; do mv $name.good $name; done");
    expect(strange).to.include("fail certificate");
    expect(old).to.include("warn certificate-expiring").and.not.to.include("fail certificate");
  });

  it("notices executors that refuse each other's certificates: of another authority, and of another node", async () => {
    const folder = "/shared/etc/node2";
    const write = (name: string, text: string) => fleet.lab.node(SECOND).exec(["sh", "-c", `cat >${folder}/${name}`], { input: text });
    const restart = async () => {
      await fleet.lab.node(SECOND).service("executor")!.kill("SIGTERM");
      await startPart(fleet.lab.node(SECOND), "executor", fleet.settings);
      await waitFor("it to listen", async () => (await shell(SECOND, "ss -ltnH 'sport = :9443'")).stdout !== "", { deadlineSeconds: 30 });
    };
    /** Once the executor answers again. */
    const refusals = async () => {
      await restart();
      const { answer } = await waitFor(
        "both executors to answer",
        async () => {
          const asked = await doctor();
          return asked.answer.pairs.length === 2 && asked;
        },
        { deadlineSeconds: 90 },
      );
      return answer.pairs.map(({ from, findings }) => [from, ...findings.map(({ code }) => code)]);
    };
    await shell(SECOND, `cd ${folder} && for name in ca.pem node.pem node.key; do cp $name $name.good; done`);
    try {
      const stranger = await makeAuthority("a stranger");
      const pair = await issueCertificate(stranger, SECOND, 100);
      await write("ca.pem", stranger.certificate);
      await write("node.pem", pair.certificate);
      await write("node.key", pair.key);
      expect(await refusals()).to.have.deep.members([
        [FIRST, "peer-refused"],
        [SECOND, "peer-refused"],
      ]);
      await shell(SECOND, `cd ${folder} && cp ca.pem.good ca.pem && cp ../node1/node.pem ../node1/node.key .`);
      expect(await refusals()).to.deep.include([FIRST, "peer-refused"]);
    } finally {
      await shell(SECOND, `cd ${folder} && for name in ca.pem node.pem node.key; do mv $name.good $name; done`);
      await restart();
      await waitFor("all to be well again", async () => (await doctor()).code === 0, { deadlineSeconds: 60 });
    }
  });

  it("notices a Redis that would forget a commit, or evict a record", async () => {
    await fleet.redis.config("SET", "appendfsync", "everysec");
    await fleet.redis.config("SET", "maxmemory-policy", "allkeys-lru");
    const found = troublesOf(await doctor(FIRST), FIRST);
    await fleet.redis.config("SET", "maxmemory-policy", "noeviction");
    const rest = troublesOf(await doctor(FIRST), FIRST);
    await fleet.redis.config("SET", "appendfsync", "always");
    expect(found).to.include("fail redis-evicts");
    expect(rest).to.include("fail redis-forgets");
    expect(troublesOf(await doctor(FIRST), FIRST)).not.to.include("fail redis-forgets");
  });

  it("notices an executor that is gone, and that nobody can reach it", async () => {
    const node = fleet.lab.node(SECOND);
    await node.service("executor")!.kill("SIGKILL");
    const { code, answer } = await doctor();
    expect(code).to.equal(4);
    expect(troublesOf({ answer }, SECOND)).to.include("fail executor-silent");
    expect(answer.pairs.map(({ from, to, findings }) => [from, to, ...findings.map((each) => each.code)])).to.deep.equal([
      [FIRST, SECOND, "peer-unreachable"],
    ]);
    const asked = await preflight(BURNER.name, SECOND);
    expect(asked.answer.findings.map((each) => each.code)).to.include("peer-unreachable");
    await startPart(node, "executor", fleet.settings);
    await waitFor("it to answer again", async () => (await doctor()).code === 0, { deadlineSeconds: 60 });
  });

  it("notices a collector that is silent", async () => {
    const node = fleet.lab.node(SECOND);
    await node.service("collector")!.kill("SIGKILL");
    await waitFor("its last sample to expire", async () => troublesOf(await doctor(), SECOND).includes("fail collector-silent"), {
      deadlineSeconds: 60,
    });
    await startPart(node, "collector", fleet.settings);
  });
});
