/** Why a test was left out of a run with a deadline. */
export const OUT_OF_TIME = "the run's time was over";

/** What one job's tests came to. A skip's text ends with its reason. */
export interface Tally {
  readonly passed: number;
  readonly failures: readonly string[];
  /** Paths of the built files in which the failures are; of a job that broke off its file, none of one that has many. */
  readonly redFiles: readonly string[];
  readonly skips: readonly string[];
}
