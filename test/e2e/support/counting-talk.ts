import { readFile } from "node:fs/promises";
import { expect } from "chai";
import type { LabNode } from "../../../lab/docker-host.js";
import { execIn } from "../../../lab/enter.js";
import type { Lab } from "../../../lab/lab.js";
import { type LabWorkload, WORKLOADS } from "../../../lab/workloads/workload-table.js";
import { waitFor } from "../../support/wait-for.js";
import { COUNTING_CLIENT } from "./counting-server.js";

const PORT = "7000";
const DEADLINE = { deadlineSeconds: 30 };

/** Brings the image of the counting server to both nodes: run on the first, moved to the second. */
export const IMAGE_BRINGER: LabWorkload = {
  ...WORKLOADS.find(({ name }) => name === "burner")!,
  name: "seed",
  address: "10.77.0.155",
  macAddress: "02:45:4b:00:00:9b",
};

/** A client outside the fleet that asks a counting server on one connection. */
export interface Talk {
  /** Resolves when some more answers have come. */
  goOn(): Promise<void>;
  /** It has had nothing but answers so far; those of one server that nobody else asks, without a gap. */
  isWhole(options?: { readonly isAlone: boolean }): Promise<void>;
  end(): Promise<void>;
}

/** Connects once the server listens. */
export async function startTalk({ clients }: Lab, address: string, name: string): Promise<Talk> {
  const knock = `python3 -c "import socket; socket.create_connection(('${address}', ${PORT}), 1)"`;
  const script = `until ${knock}; do sleep 0.1; done 2>/dev/null; exec python3 -c "$1" ${address} ${PORT}`;
  const service = await clients.spawn(["sh", "-c", script, "sh", COUNTING_CLIENT], { name });
  const words = async () => (await readFile(service.logFile, "utf8")).split("\n").filter((line) => line !== "");
  const talk: Talk = {
    goOn: async () => {
      const before = (await words()).length;
      await waitFor(`${address} to answer on`, async () => (await words()).length > before + 5, DEADLINE);
    },
    isWhole: async ({ isAlone } = { isAlone: true }) => {
      const said = await words();
      expect(said.filter((word) => !word.startsWith("answer "))).to.deep.equal([]);
      if (isAlone) expect(said).to.deep.equal(said.map((_, index) => `answer ${index + 1}`));
    },
    end: () => service.kill("SIGKILL"),
  };
  await talk.goOn();
  return talk;
}

/** A second cable from the node to the lab's segment; its end on the node is called `uplink`. */
export async function plugIn({ fabric }: Lab, node: LabNode): Promise<void> {
  const port = `cable${node.name.at(-1)}`;
  await execIn(fabric.folder, ["ip", "link", "add", port, "type", "veth", "peer", "name", "uplink", "netns", String(node.pid)]);
  await execIn(fabric.folder, ["ip", "link", "set", port, "master", "bridge0", "up"]);
  await node.exec(["ip", "link", "set", "uplink", "up"]);
}
