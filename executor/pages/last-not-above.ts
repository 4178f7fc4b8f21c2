/** Which of `count` starts, in ascending order, is the last that is not above `address`; -1 = none is. */
export function lastNotAbove(count: number, startOf: (index: number) => number, address: number): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (startOf(middle) <= address) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
