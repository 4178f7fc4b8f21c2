import { getPriority, setPriority } from "node:os";

/** Niceness: before what else runs in its control group, by a factor of nine in its share. */
const FIRST = -10;
const MILLISECONDS = 500;

/**
 * Takes precedence until half a second after the first fault: a workload that has just resumed stands still for each page, and on busy cores whoever brings them would wait for milliseconds to run.
 * Afterwards memory that nobody waits for must not take the cores from others. @returns to be called at each request
 */
export function takePrecedence(): () => void {
  const usual = getPriority();
  renice(Math.min(FIRST, usual));
  let isCounting = false;
  return () => {
    if (isCounting) return;
    isCounting = true;
    setTimeout(() => renice(usual), MILLISECONDS);
  };
}

/** The main thread alone, which is who answers. */
function renice(niceness: number): void {
  try {
    setPriority(niceness);
  } catch {
    // Not where root may not.
  }
}
