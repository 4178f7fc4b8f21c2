import type { Finding } from "../../platform/findings.js";
import { compareNodes } from "./compare-nodes.js";
import type { CpuCheck } from "./cpu.js";
import { gatherFacts } from "./gather-facts.js";
import type { FactSources, NodeFacts } from "./node-facts.js";

/** What a source tells of itself, so that the destination can compare. */
export interface Introduction {
  readonly facts: NodeFacts;
  readonly cpuImage: string | null;
}

/** This node as preflight sees it. */
export interface NodeProbe {
  introduce(): Promise<Introduction>;
  /** What stands between that source and this node. */
  compare(source: Introduction): Promise<Finding[]>;
}

export function makeNodeProbe(sources: FactSources, cpu: CpuCheck): NodeProbe {
  return {
    introduce: async () => {
      const [facts, cpuImage] = await Promise.all([gatherFacts(sources), cpu.read()]);
      return { facts, cpuImage };
    },
    compare: async ({ facts, cpuImage }) => {
      const [here, cpuFindings] = await Promise.all([gatherFacts(sources), cpu.check(cpuImage)]);
      return [...compareNodes(facts, here), ...(facts.architecture === here.architecture ? cpuFindings : [])];
    },
  };
}
