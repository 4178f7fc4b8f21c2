import { expect } from "chai";
import { type LabClients, startLabClients } from "../../../lab/clients/start-lab-clients.js";
import { cacheFolder } from "../../../lab/folders.js";
import { buildImages } from "../../../lab/images/build-images.js";
import { spreadImages } from "../../../lab/images/import-images.js";
import { type Lab, startLab } from "../../../lab/lab.js";
import { startWorkload } from "../../../lab/workloads/start-workload.js";
import { WORKLOADS } from "../../../lab/workloads/workload-table.js";
import { labRoot, SETUP_DEADLINE_MS } from "../../integration/workloads/run-workload.js";
import { waitFor } from "../../support/wait-for.js";
import { expectKept } from "../support/expect-kept.js";

const GIBIBYTE = 1024 ** 3;

describe("The lab's workloads as containers of a lab node", function () {
  this.timeout(SETUP_DEADLINE_MS);
  let lab: Lab;
  let clients: LabClients;

  before(async () => {
    const rootDirectory = await labRoot();
    const nodes = ["node1", "node2"].map((name) => ({ name, cpuCores: 1, memoryBytes: 2 * GIBIBYTE }));
    lab = await startLab({ name: "e2e-workloads", nodes, rootDirectory });
    await spreadImages(
      lab.nodes.map((node) => node.docker),
      await buildImages(rootDirectory, cacheFolder()),
    );
    clients = await startLabClients(lab);
    for (const workload of WORKLOADS) await startWorkload(lab.node("node1").docker, workload);
    await waitFor("answers from all of them", async () => (await clients.report()).clients.every(({ requests }) => requests > 20), {
      deadlineSeconds: 60,
    });
  });

  after(async () => {
    expect(await lab?.close()).to.deep.equal([]);
  });

  it("have images of the same id on each node", async () => {
    for (const { image } of WORKLOADS) {
      const [first, second] = await Promise.all(lab.nodes.map((node) => node.docker.getImage(image).inspect()));
      expect(first!.Id).to.equal(second!.Id);
    }
  });

  it("carry their limits, their label and their address", async () => {
    for (const workload of WORKLOADS) {
      const seen = await lab.node("node1").docker.getContainer(workload.name).inspect();
      expect(seen.Config.Labels["io.evenkeel.workload"]).to.equal(workload.name);
      expect(seen.HostConfig).to.include({ Memory: workload.memoryLimitBytes, NanoCpus: workload.cpuLimitCores * 1e9 });
      expect(seen.NetworkSettings.Networks["fleet"]).to.include({ IPAddress: workload.address, MacAddress: workload.macAddress });
    }
  });

  for (const { name, character } of WORKLOADS) {
    it(`can be checkpointed while it is being used: ${name}, ${character}`, async () => {
      const node = lab.node("node1");
      const { Id } = await node.docker.getContainer(name).inspect();
      const { stdout: roots } = await node.exec(["sh", "-c", "ls -d /run/docker/runtime-runc/moby*"]);
      const folder = `/tmp/checkpoint-${name}`;
      const checkpoint = ["runc", "--root", roots.trim(), "checkpoint", "--leave-running", "--tcp-established", "--file-locks"];
      await node.exec([...checkpoint, "--image-path", folder, "--work-path", `${folder}.work`, Id]);
      const { stdout: pages } = await node.exec(["sh", "-c", `ls ${folder} | grep -c '^pages-'; rm -rf ${folder} ${folder}.work`]);
      expect(Number(pages)).to.be.greaterThan(0);
      const before = (await clients.report()).clients.find((client) => client.workload === name)!;
      await waitFor(`${name} to answer again`, async () => {
        const now = (await clients.report()).clients.find((client) => client.workload === name)!;
        return now.requests > before.requests + 5;
      });
    });
  }

  it("have given every client right answers over one connection", async () => {
    for (const client of (await clients.stop()).clients) {
      expectKept(client);
    }
  });
});
