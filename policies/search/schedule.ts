/** What was seen at one temperature of the pilot run. */
export interface Reading {
  readonly temperature: number;
  /** By how much accepted moves raised the cost, in all, per proposal. */
  readonly uphillCost: number;
}

/** A temperature gets at least this share of the time of the most active one. */
const LEAST_DENSITY = 0.03;

/**
 * How long to stay at which temperature. `uphillCost / temperature` says how much is decided at a temperature: it is near nothing
 * where everything that costs so much is frozen already, and where nothing costs so little. Time goes by its cube root, so that
 * temperatures just above freezing, where few moves succeed, still get a good part. That fits any scale of costs without tuning, and several scales in one model (loads in millions, moves in ones).
 */
export class Schedule {
  private readonly logTemperature: Float64Array;
  /** Share of the time that is over when the reading's temperature is reached. */
  private readonly elapsed: Float64Array;

  /**
   * `readings`: at least two, hottest first. `temperaturePower`: 0 gives every temperature its due; above it, more time goes to the hot ones, where
   * what is left undone costs more.
   */
  constructor(readings: readonly Reading[], temperaturePower = 0) {
    this.logTemperature = Float64Array.from(readings, (r) => Math.log(r.temperature));
    const activity = readings.map((r) => Math.cbrt(r.uphillCost / r.temperature) * r.temperature ** temperaturePower);
    const most = Math.max(...activity) || 1;
    this.elapsed = new Float64Array(readings.length);
    let total = 0;
    for (let i = 1; i < readings.length; i++) {
      const span = this.logTemperature[i - 1]! - this.logTemperature[i]!;
      total += span * Math.max(LEAST_DENSITY, activity[i]! / most);
      this.elapsed[i] = total;
    }
    this.elapsed = this.elapsed.map((e) => e / total);
  }

  /** The temperature when this share (0 … 1) of the time is over. */
  temperatureAt(progress: number): number {
    const { elapsed, logTemperature } = this;
    let i = 1;
    while (i < elapsed.length - 1 && elapsed[i]! < progress) i++;
    const span = elapsed[i]! - elapsed[i - 1]!;
    const within = span === 0 ? 1 : Math.min(1, Math.max(0, (progress - elapsed[i - 1]!) / span));
    return Math.exp(logTemperature[i - 1]! + within * (logTemperature[i]! - logTemperature[i - 1]!));
  }
}

/** `count` temperatures from `hottest` down to `coldest`, each the same ratio below the one before. */
export function geometricTemperatures(hottest: number, coldest: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => hottest * (coldest / hottest) ** (i / (count - 1)));
}
