import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { LabNode } from "../../lab/docker-host.js";
import { cacheFolder } from "../../lab/folders.js";
import { buildImages } from "../../lab/images/build-images.js";
import { importImage } from "../../lab/images/import-images.js";
import { type Lab, startLab } from "../../lab/lab.js";
import { nowSeconds } from "../../platform/clock.js";
import { HOLDER_IMAGE, HOLDER_PORT } from "./holder.js";
import { observe } from "./observe.js";
import { type Spread, spread } from "./statistics.js";

/** What another tool does with the same workload on the same machine. */
export interface PeerCase {
  readonly sizeMiB: number;
  readonly runs: number;
  /** From the client: its longest wait for an answer. */
  readonly gapSeconds: Spread;
  /** From the first command's begin to the last one's end. */
  readonly commandSeconds: Spread;
  readonly connectionKept: boolean;
  readonly requests: number;
  readonly wrongAnswers: number;
  readonly notes: readonly string[];
}

/** One tool: starts the workload with the host's network, and moves it out and in again, `run` times. */
export interface PeerTool {
  readonly name: string;
  start(node: LabNode, sizeMiB: number): Promise<void>;
  /** The measured part; what it returns is noted once. */
  cycle(node: LabNode, run: number): Promise<string | null>;
  /** After each cycle, outside of the measured time. */
  tidy(node: LabNode, run: number): Promise<void>;
  remove(node: LabNode): Promise<void>;
}

const REST_MS = 1500;
const IMAGE_TAR = "holder-image.tar";
/** The image as the machines see it. */
export const IMAGE_PATH = `/shared/${IMAGE_TAR}`;

/** A lab of one node without Evenkeel. */
export async function startPeerLab(name: string, rootDirectory: string, memoryBytes: number, tell: (words: string) => void): Promise<Lab> {
  const lab = await startLab({ name, nodes: [{ name: "peer", cpuCores: 2, memoryBytes }], rootDirectory, onProgress: tell });
  try {
    const image = (await buildImages(rootDirectory, cacheFolder())).find((each) => each.reference === HOLDER_IMAGE);
    if (image === undefined) throw new Error(`the lab makes no image ${HOLDER_IMAGE}`);
    await copyFile(image.tar, join(lab.sharedDirectory, IMAGE_TAR));
    await importImage(lab.node("peer").docker, image);
    return lab;
  } catch (error) {
    await lab.close();
    throw error;
  }
}

export async function measurePeer(
  lab: Lab,
  tool: PeerTool,
  { sizeMiB, runs }: { sizeMiB: number; runs: number },
  tell: (words: string) => void,
): Promise<PeerCase> {
  const node = lab.node("peer");
  await tool.start(node, sizeMiB);
  try {
    const observer = await observe(lab, { address: node.address, port: HOLDER_PORT });
    const [gaps, commands]: [number[], number[]] = [[], []];
    const notes = new Set<string>();
    let connectionKept = true;
    for (let run = 0; run < runs; run++) {
      await pause(REST_MS);
      const since = nowSeconds();
      const note = await tool.cycle(node, run);
      commands.push(nowSeconds() - since);
      if (note !== null) notes.add(note);
      // The client hears of it with its next retransmission.
      await pause(commands.at(-1)! * 1000 + REST_MS);
      const seen = await observer.between(since, nowSeconds());
      gaps.push(seen.gapSeconds);
      connectionKept &&= seen.connectionKept;
      tell(`${tool.name} ${sizeMiB} MiB run ${run}: commands ${commands.at(-1)!.toFixed(3)} s, gap ${seen.gapSeconds.toFixed(3)} s`);
      await tool.tidy(node, run);
    }
    const [report] = await observer.stop();
    return {
      sizeMiB,
      runs,
      gapSeconds: spread(gaps),
      commandSeconds: spread(commands),
      connectionKept,
      requests: report?.requests ?? 0,
      wrongAnswers: report?.wrongAnswers ?? 0,
      notes: [...notes],
    };
  } finally {
    await lab.clients.service("bench-client")?.kill();
    await tool.remove(node);
  }
}
