/** Clocks of two machines may differ by this much before what one dates from before an event is taken for one from after it; preflight refuses more. */
export const CLOCK_SKEW_SECONDS = 3;
