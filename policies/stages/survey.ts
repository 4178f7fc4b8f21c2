import type { JudgedContext, Resource } from "../context.js";
import type { NodeView } from "../fleet.js";
import type { Need } from "../need.js";
import { type MoveReason, type NodeState, SKIP_REASONS, type SkipReason, type WorkloadState } from "../types.js";
import { cpuCeiling, memoryCeiling, memoryToBeHad, whyClosed, whyNotThere, whyUnfit } from "./feasible.js";
import { whyNotArrive } from "./gates.js";
import { whyNotLevelTo } from "./level-target.js";
import { NAMED, type Refusals } from "./refusals.js";
import { capacityOf } from "./score.js";

/** What the policy that asks says of a node which is otherwise fit. `position`: in the fleet. */
type WhyNotElse = (target: NodeView, position: number) => SkipReason;

const NONE = -1;
const codeOf = new Map<SkipReason | null, number>([[null, NONE], ...SKIP_REASONS.map((reason, code) => [reason, code] as const)]);
const ASLEEP = codeOf.get("target-asleep")!;
const CPU_FULL = codeOf.get("target-cpu-full")!;
const MEMORY_FULL = codeOf.get("target-memory-full")!;

/**
 * Why none of the nodes will do, for one workload after another, while nothing is entered in the ledger. It says what `whyNotThere` and
 * `whyNotLevelTo` say: what of that is the same for every workload is looked up once, so that each pair of workload and node takes a few comparisons.
 */
export class Survey {
  private readonly closed: Int8Array;
  private readonly levelling: Int8Array;
  private readonly cpuHeld: Float64Array;
  private readonly cpuLimit: Float64Array;
  private readonly memoryHeld: Float64Array;
  private readonly memoryLimit: Float64Array;
  private readonly imagesHeld: Float64Array;
  private readonly memoryToBeHad: Float64Array;
  /** Nodes of one kind are alike to any workload, but for who is there and what was refused. */
  private readonly kind: Int32Array;
  private readonly kinds: readonly (readonly NodeView[])[];
  private readonly position: ReadonlyMap<string, number>;

  /** By its position: why no more may arrive there just now. */
  private readonly arrivals: readonly (SkipReason | null)[];
  private readonly isSpecial: Uint8Array;
  /** Nodes with a container of a name that does not run. */
  private readonly ended = new Map<string, string[]>();

  constructor(
    private readonly context: JudgedContext,
    reason: MoveReason,
  ) {
    const { fleet, ledger, config } = context;
    const { nodes } = fleet;
    const accounts = nodes.map(({ id }) => ledger.accounts.get(id)!);
    this.closed = Int8Array.from(nodes, (node) => codeOf.get(whyClosed(node, context))!);
    this.levelling = Int8Array.from(nodes, (node) => codeOf.get(whyNotLevelTo(node, context))!);
    this.cpuHeld = Float64Array.from(nodes, ({ load }, i) => (load?.cpuCores.high ?? 0) + accounts[i]!.arrivingCpuCores);
    this.cpuLimit = Float64Array.from(nodes, ({ state }) => state.cpuCapacityCores * cpuCeiling(config));
    this.memoryHeld = Float64Array.from(nodes, ({ load }, i) => (load?.memoryBytes.high ?? 0) + accounts[i]!.arrivingMemoryBytes);
    this.memoryLimit = Float64Array.from(nodes, ({ state }) => state.memoryCapacityBytes * memoryCeiling(config));
    this.imagesHeld = Float64Array.from(accounts, ({ arrivingImageBytes }) => arrivingImageBytes);
    this.memoryToBeHad = Float64Array.from(nodes, ({ state }) => memoryToBeHad(state));
    this.arrivals = nodes.map(({ id }) => whyNotArrive(context, id, reason));
    this.isSpecial = new Uint8Array(nodes.length);
    for (const { id, state } of nodes) {
      for (const name of state.endedNames ?? []) this.ended.set(name, [...(this.ended.get(name) ?? []), id]);
    }
    this.position = new Map(nodes.map(({ id }, i) => [id, i]));
    const kinds = new Map<string, NodeView[]>();
    const numbers = new Map<string, number>();
    this.kind = Int32Array.from(nodes, (node) => {
      const key = kindOf(node.state);
      const alike = kinds.get(key);
      if (alike) alike.push(node);
      else {
        numbers.set(key, kinds.size);
        kinds.set(key, [node]);
      }
      return numbers.get(key)!;
    });
    this.kinds = [...kinds.values()];
  }

  /** Of every node but its own. */
  refusalsOf(workload: WorkloadState, need: Need, whyNotElse: WhyNotElse): Refusals {
    const { nodes } = this.context.fleet;
    const own = this.position.get(workload.node);
    const seen = new Tally(nodes);
    const special = isPlain(workload) ? this.specialTo(workload) : null;
    if (special === null) {
      for (let i = 0; i < nodes.length; i++) if (i !== own) seen.add(i, this.whyNotFit(workload, need, i, whyNotElse));
      return seen.refusals();
    }
    for (const i of special) this.isSpecial[i] = 1;
    const unfit = Int8Array.from(this.kinds, (alike) => this.whyUnfitOf(alike, workload));
    const { closed, kind, levelling, isSpecial } = this;
    for (let i = 0; i < nodes.length; i++) {
      if (i === own) continue;
      let code = closed[i]!;
      if (isSpecial[i] === 1) code = this.whyNotFit(workload, need, i, whyNotElse);
      else if (code === NONE || code === ASLEEP) {
        const misfit = unfit[kind[i]!]!;
        if (misfit !== NONE) code = misfit;
        else if (code === NONE) code = this.whyNoRoom(i, need);
        if (code === NONE) code = levelling[i]!;
        if (code === NONE) code = codeOf.get(whyNotElse(nodes[i]!, i))!;
      }
      seen.add(i, code);
    }
    for (const i of special) this.isSpecial[i] = 0;
    return seen.refusals();
  }

  whyNotArrive(position: number): SkipReason | null {
    return this.arrivals[position]!;
  }

  /** As `burdenedRatio` has it. */
  burdenedRatio(resource: Resource, position: number): number {
    const held = resource === "cpu" ? this.cpuHeld : this.memoryHeld;
    return held[position]! / capacityOf(resource, this.context.fleet.nodes[position]!);
  }

  private whyNotFit(workload: WorkloadState, need: Need, position: number, whyNotElse: WhyNotElse): number {
    const { context } = this;
    const node = context.fleet.nodes[position]!;
    return codeOf.get(whyNotThere(workload, need, node, context) ?? whyNotLevelTo(node, context) ?? whyNotElse(node, position))!;
  }

  /** As `stages/feasible.ts` has it, summed in the same order. */
  private whyNoRoom(node: number, need: Need): number {
    if (this.cpuHeld[node]! + need.cpuCores > this.cpuLimit[node]!) return CPU_FULL;
    const memoryBytes = this.memoryHeld[node]! + need.memoryBytes;
    if (memoryBytes > this.memoryLimit[node]!) return MEMORY_FULL;
    return memoryBytes + (this.imagesHeld[node]! + need.imageBytes) > this.memoryToBeHad[node]! ? MEMORY_FULL : NONE;
  }

  /** Positions of nodes that are not to it what others of their kind are. */
  private specialTo({ name: own, constraints, volumes = [], refusals = [] }: WorkloadState): number[] {
    const { company } = this.context.ledger;
    const { antiAffinityGroup } = constraints;
    const namesakes = this.context.fleet.namesakes().get(own);
    const ids = [
      ...(antiAffinityGroup === null ? [] : (company.apart.get(antiAffinityGroup)?.keys() ?? [])),
      ...volumes.flatMap((name) => company.volumes.get(name)?.map(({ node }) => node) ?? []),
      ...refusals.flatMap(({ to }) => to ?? []),
      ...(this.ended.get(own) ?? []),
      ...(namesakes?.nodes ?? []),
      ...[...(namesakes?.ids ?? [])].flatMap((id) => company.headedFor.get(id) ?? []),
    ];
    return ids.flatMap((id) => this.position.get(id) ?? []);
  }

  private whyUnfitOf(alike: readonly NodeView[], workload: WorkloadState): number {
    const one = alike.find(({ id }) => id !== workload.node && this.isSpecial[this.position.get(id)!] === 0);
    return one === undefined ? NONE : codeOf.get(whyUnfit(workload, one, this.context, false))!;
  }
}

/** Counts reasons, and keeps the first few nodes of each. */
class Tally {
  private readonly counts = new Int32Array(SKIP_REASONS.length);
  private readonly some: NodeView[][] = [];
  private readonly order: number[] = [];

  constructor(private readonly nodes: readonly NodeView[]) {}

  add(position: number, code: number): void {
    const count = ++this.counts[code]!;
    if (count > NAMED) return;
    const node = this.nodes[position]!;
    if (count > 1) {
      this.some[code]!.push(node);
      return;
    }
    this.some[code] = [node];
    this.order.push(code);
  }

  refusals(): Refusals {
    const entries = this.order.map((code) => [SKIP_REASONS[code]!, { count: this.counts[code]!, some: this.some[code]! }] as const);
    return { count: this.counts.reduce((sum, count) => sum + count, 0), byReason: new Map(entries) };
  }
}

/** What whyUnfit looks at of a node, and is not of the workload's own making. */
function kindOf({ architecture, networks, refusedCpus }: NodeState): string {
  return JSON.stringify([architecture, networks, refusedCpus]);
}

/** Whether it may go to a node does not depend on where others are, or on what single nodes are called or labelled. */
function isPlain({ constraints }: WorkloadState): boolean {
  const { pinnedTo, affinityGroup, group, zoneSpreadGroup } = constraints;
  return pinnedTo.length === 0 && !affinityGroup && !group && !zoneSpreadGroup;
}
