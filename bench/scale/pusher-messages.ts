/** What the process that plays the nodes is told … */
export interface PusherOrder {
  readonly redisUrl: string;
  readonly nodes: number;
  readonly workloads: number;
  readonly intervalSeconds: number;
  readonly sampleTtlSeconds: number;
  readonly historyLength: number;
}

/** … and what it tells. Times are epoch seconds. */
export type PusherReport =
  | { readonly kind: "ready" }
  /** Samples written since the last report: when each was taken, and when Redis had acknowledged it. */
  | { readonly kind: "pushed"; readonly samples: readonly (readonly [at: number, acknowledgedAt: number])[] };
