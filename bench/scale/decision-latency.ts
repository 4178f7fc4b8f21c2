export interface Pushed {
  readonly at: number;
  readonly acknowledgedAt: number;
}

export interface Decision {
  /** When the scheduler began to read the fleet. */
  readonly readAt: number;
  /** When the plan was seen in Redis. */
  readonly publishedAt: number;
}

/**
 * From each sample's own time to the first plan that must have seen it: one whose reading began after Redis had the sample. One that a
 * plan may have seen by luck is not counted as seen. Samples after the last such plan are left out.
 */
export function decisionLatencies(samples: readonly Pushed[], decisions: readonly Decision[]): number[] {
  const inOrder = [...decisions].sort((a, b) => a.readAt - b.readAt);
  return [...samples]
    .sort((a, b) => a.acknowledgedAt - b.acknowledgedAt)
    .flatMap(({ at, acknowledgedAt }) => {
      while (inOrder.length > 0 && inOrder[0]!.readAt < acknowledgedAt) inOrder.shift();
      return inOrder.length === 0 ? [] : [inOrder[0]!.publishedAt - at];
    });
}
