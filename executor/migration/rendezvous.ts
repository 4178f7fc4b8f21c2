/** Where migrations that are carried out as one wait for each other. */
export interface Rendezvous {
  /** Resolves when all have come to this point. @throws what one of them failed with. */
  meet(point: string): Promise<void>;
  /** Says what others may wait for. */
  note(what: string): void;
  /** Resolves once one of them has noted it. @throws what one of them failed with. */
  noted(what: string): Promise<void>;
  /** One has failed: nobody waits any more. */
  leave(cause: Error): void;
  /** What the first of them failed with; null = none has. */
  failure(): Error | null;
}

/** For a migration that is alone. */
export const ALONE: Rendezvous = { meet: async () => {}, note: () => {}, noted: async () => {}, leave: () => {}, failure: () => null };

interface Point {
  arrived: number;
  readonly waiters: Set<{ go(): void; fail(cause: Error): void }>;
}

export function makeRendezvous(size: number): Rendezvous {
  const points = new Map<string, Point>();
  let failure: Error | null = null;
  const pointOf = (name: string): Point => {
    const point = points.get(name) ?? { arrived: 0, waiters: new Set() };
    points.set(name, point);
    return point;
  };
  const arrive = (point: Point, needed: number) => {
    point.arrived += 1;
    if (point.arrived >= needed) for (const waiter of point.waiters) waiter.go();
  };
  const wait = (point: Point) =>
    new Promise<void>((go, fail) => {
      point.waiters.add({ go, fail });
    });
  return {
    meet: async (name) => {
      if (failure !== null) throw failure;
      const point = pointOf(name);
      const all = wait(point);
      arrive(point, size);
      return all;
    },
    note: (what) => arrive(pointOf(what), 1),
    noted: async (what) => {
      if (failure !== null) throw failure;
      const point = pointOf(what);
      return point.arrived > 0 ? undefined : wait(point);
    },
    leave: (cause) => {
      failure ??= cause;
      for (const { waiters } of points.values()) for (const waiter of waiters) waiter.fail(failure);
    },
    failure: () => failure,
  };
}
