/** Where migrations that are carried out as one wait for each other. */
export interface Rendezvous {
  /** Resolves when all have come to this point. @throws what one of them failed with. */
  meet(point: string): Promise<void>;
  /** One has failed: nobody waits any more. */
  leave(cause: Error): void;
  /** What the first of them failed with; null = none has. */
  failure(): Error | null;
}

/** For a migration that is alone. */
export const ALONE: Rendezvous = { meet: async () => {}, leave: () => {}, failure: () => null };

export function makeRendezvous(size: number): Rendezvous {
  const points = new Map<string, { arrived: number; readonly waiters: Set<{ go(): void; fail(cause: Error): void }> }>();
  let failure: Error | null = null;
  return {
    meet: (name) =>
      new Promise((go, fail) => {
        if (failure !== null) return fail(failure);
        const point = points.get(name) ?? { arrived: 0, waiters: new Set() };
        points.set(name, point);
        point.arrived += 1;
        point.waiters.add({ go, fail });
        if (point.arrived === size) for (const waiter of point.waiters) waiter.go();
      }),
    leave: (cause) => {
      failure ??= cause;
      for (const { waiters } of points.values()) for (const waiter of waiters) waiter.fail(failure);
    },
    failure: () => failure,
  };
}
