/** Does one thing after the other, in the order in which they were asked for. One that fails keeps nobody waiting. */
export type Turns = <T>(task: () => Promise<T>) => Promise<T>;

/**
 * Whoever looks at the fleet, decides and starts moves does so in a turn: the next one then sees what has been started. Two that looked at the same
 * moment would both fill the same place, and could part or join what must not be.
 */
export function makeTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const turn = last.then(task);
    last = turn.catch(() => {});
    return turn;
  };
}
