import { nowSeconds } from "../../platform/clock.js";
import { asEvenkeelError } from "../../platform/errors.js";
import { type Finding, finding } from "../../platform/findings.js";
import type { Surroundings } from "../migration/migration.js";
import type { Offer, OfferAnswer } from "../peer/protocol.js";
import type { NodeReport, PairReport, PreflightReport, Question } from "../protocol.js";
import { checkNode } from "./check-node.js";
import type { NodeFacts } from "./node-facts.js";
import type { Introduction } from "./node-probe.js";
import { preflight, type Wanted } from "./preflight.js";

/** Peers that are asked at once: each costs them some programs. */
const PEERS_AT_ONCE = 4;

/** Answers a scheduler's question about this node. */
export async function examine(surroundings: Surroundings, question: Question): Promise<NodeReport | PreflightReport> {
  return question.kind === "doctor" ? examineNode(surroundings, question.peers) : examineMove(surroundings, question);
}

async function examineNode(surroundings: Surroundings, peers: readonly string[]): Promise<NodeReport> {
  const introduction = await surroundings.probe.introduce();
  const { facts } = introduction;
  const pairs: PairReport[] = [];
  const left = [...peers];
  const work = async () => {
    for (let to = left.shift(); to !== undefined; to = left.shift())
      pairs.push({ to, findings: await comparePeer(surroundings, introduction, to) });
  };
  await Promise.all(Array.from({ length: PEERS_AT_ONCE }, work));
  return { checks: checkNode(facts, nowSeconds()), modes: modesOf(facts), pairs: pairs.sort((a, b) => (a.to < b.to ? -1 : 1)) };
}

function modesOf({ tracksDirtyPages, hasUserfaultfd, criu }: NodeFacts): string[] {
  if (criu.version === null || criu.trouble !== null) return [];
  return ["stopcopy", ...(tracksDirtyPages ? ["precopy"] : []), ...(hasUserfaultfd ? ["postcopy"] : [])];
}

async function comparePeer(surroundings: Surroundings, introduction: Introduction, to: string): Promise<readonly Finding[]> {
  try {
    const peer = await surroundings.connect(to);
    try {
      return (await peer.compare(introduction)).findings;
    } finally {
      peer.close();
    }
  } catch (error) {
    return [peerFinding(error)];
  }
}

async function examineMove(surroundings: Surroundings, wanted: Wanted): Promise<PreflightReport> {
  const ask = async (offer: Offer): Promise<OfferAnswer> => {
    try {
      const peer = await surroundings.connect(wanted.to);
      return await peer.preflight(offer).finally(() => peer.close());
    } catch (error) {
      // The destination's half of the truth is missing; the source's is worth telling all the same.
      return { findings: [peerFinding(error)], hasImage: true, layersHere: 0, hasZstd: false, whyNotLazy: null };
    }
  };
  const { findings } = await preflight(surroundings, wanted, ask);
  return { findings };
}

function peerFinding(error: unknown): Finding {
  const { code, detail } = asEvenkeelError(error);
  const isRefusal = code === "PEER_UNAUTHENTICATED" || /certificate|alert|self.signed|altname/i.test(detail);
  return finding(isRefusal ? "peer-refused" : "peer-unreachable", detail);
}
