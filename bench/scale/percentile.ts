/** Nearest rank; null of nothing. */
export function percentile(values: readonly number[], ratio: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(ratio * sorted.length) - 1)] ?? null;
}
