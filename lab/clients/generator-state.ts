const MULTIPLIER = 6364136223846793005n;
const INCREMENT = 1442695040888963407n;

/**
 * The state of the burner's generator `x = a x + c (mod 2^64)`, x0 = 0, after so many steps, by repeated squaring of the step
 * (Brown, "Random number generation with arbitrary strides", 1994).
 */
export function generatorState(steps: bigint): bigint {
  let [multiplier, increment] = [MULTIPLIER, INCREMENT];
  let [allMultiplier, allIncrement] = [1n, 0n];
  for (let left = steps; left > 0n; left >>= 1n) {
    if (left & 1n) {
      allMultiplier = BigInt.asUintN(64, allMultiplier * multiplier);
      allIncrement = BigInt.asUintN(64, allIncrement * multiplier + increment);
    }
    increment = BigInt.asUintN(64, (multiplier + 1n) * increment);
    multiplier = BigInt.asUintN(64, multiplier * multiplier);
  }
  return allIncrement;
}
