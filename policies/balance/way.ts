import type { NodeView } from "../fleet.js";
import type { Candidate } from "../stages/candidates.js";
import type { Gain } from "./gain.js";

export interface Step {
  readonly candidate: Candidate;
  readonly target: NodeView;
  /** What it would gain as the last of the way: all the others done. */
  readonly last: Gain;
}

/** The moves that take the fleet from where it is to level. Not all may begin at once: what is left is sought anew with the next plan. */
export class Way {
  private readonly bySource = new Map<NodeView, Set<Step>>();
  private readonly byTarget = new Map<NodeView, Set<Step>>();

  constructor(
    /** In an order in which each has room once those before it are done. */
    private readonly steps: readonly Step[],
    /** Distance from level once all of it is done. */
    readonly endDistance: number,
    /** Moves in the plan when it was last followed. Others that have come since may have spoilt it. */
    public planned: number,
  ) {
    for (const step of steps) {
      addTo(this.bySource, step.candidate.source, step);
      addTo(this.byTarget, step.target, step);
    }
  }

  /** What has not been taken. */
  left(): Step[] {
    return this.steps.filter((step) => this.bySource.get(step.candidate.source)!.has(step));
  }

  leaving(source: NodeView): Step[] {
    return [...(this.bySource.get(source) ?? [])];
  }

  arriving(target: NodeView): Step[] {
    return [...(this.byTarget.get(target) ?? [])];
  }

  take(step: Step): void {
    this.bySource.get(step.candidate.source)!.delete(step);
    this.byTarget.get(step.target)!.delete(step);
  }
}

function addTo(steps: Map<NodeView, Set<Step>>, node: NodeView, step: Step): void {
  const known = steps.get(node);
  if (known) known.add(step);
  else steps.set(node, new Set([step]));
}
