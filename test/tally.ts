/** What one kind of tests came to. A skip's text ends with its reason. */
export interface Tally {
  readonly passed: number;
  readonly failures: readonly string[];
  readonly skips: readonly string[];
}
