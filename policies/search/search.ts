import { BestSoFar } from "./best-so-far.js";
import type { SearchModel } from "./model.js";
import { Proposals } from "./proposals.js";
import { Random } from "./random.js";
import { geometricTemperatures, type Reading, Schedule } from "./schedule.js";
import { SearchState } from "./state.js";
import { temperatureRange } from "./temperature-range.js";

/** Shares of the budget: straight descent, then a quick pilot over all temperatures, then the long cooling, then short ones from the best. */
const DESCENT_ENDS = 0.03;
const PILOT_ENDS = 0.1;
/** Where time goes by in leaps (a busy machine, or few steps in all), the pilot may take longer, so as not to leap over temperatures. */
const PILOT_ENDS_AT_LATEST = 0.2;
const COOLING_ENDS = 0.93;
const REHEATS = 3;
/** A reheat starts where this share of the long cooling was over; the later, the cooler. */
const FIRST_REHEAT_FROM = 0.4;
const LAST_REHEAT_FROM = 0.75;

/**
 * Where the annealing begins, as a share of the average change by a random move, and how its time leans to the hot end. `mild` is hot enough for the
 * many workloads of common size and soon done. `full` also thaws the few biggest, which decide most of the cost where room is tight, but needs ten
 * million proposals or more to cool down from there.
 */
const HEATS = {
  mild: { hottestShare: 0.2, temperaturePower: 0 },
  full: { hottestShare: 1, temperaturePower: 0.4 },
};
export type Heat = keyof typeof HEATS;

const ROUNDING_SHARE = 1e-11;
const PILOT_READINGS = 60;
export const SLICE_PROPOSALS = 1000;
const SLICES_BETWEEN_REFRESHES = 4000;

/**
 * A search that can be advanced bit by bit. What it does depends on nothing but the model, the seed and the progress it is told,
 * so a caller that derives progress from steps gets the same answer each time.
 */
export class Search {
  readonly state: SearchState;
  readonly initialCost: number;
  steps = 0;
  private readonly heat: (typeof HEATS)[Heat];
  private readonly best: BestSoFar;
  private readonly proposals: Proposals;
  private readonly temperatures: readonly number[];
  private readonly readings: Reading[] = [];
  private pilot = { index: -1, steps: 0, uphillCost: 0 };
  private schedule: Schedule | null = null;
  private reheat = 0;
  private slices = 0;

  constructor(model: SearchModel, options: { seed: number; maxMoves?: number; from?: Int32Array; heat?: Heat }) {
    this.heat = HEATS[options.heat ?? "mild"];
    this.state = new SearchState(model, options.from);
    this.state.moves.maxMoves = Math.max(options.maxMoves ?? Infinity, this.state.moves.moved);
    this.initialCost = this.state.cost;
    this.best = new BestSoFar(this.state.assignment, this.state.cost);
    this.proposals = new Proposals(this.state, new Random(options.seed));
    // Less than this is no gain but rounding, and must not move anything.
    const rounding = ROUNDING_SHARE * Math.abs(this.initialCost);
    this.proposals.onMoved = (workload) => this.best.note(workload);
    this.proposals.onAccepted = () => {
      if (this.state.cost < this.best.cost - rounding) this.best.take(this.state.cost);
    };
    const { hottest, coldest } = temperatureRange(this.state, this.heat.hottestShare);
    this.temperatures = hottest > 0 ? geometricTemperatures(hottest, coldest, PILOT_READINGS) : [];
  }

  get bestCost(): number {
    return this.best.cost;
  }

  /** The best assignment so far; a view that changes as the search goes on. */
  get bestAssignment(): Int32Array {
    return this.best.assignment;
  }

  /** One slice of proposals; `progress` is the share of the budget that is over, 0 … 1. */
  advance(progress: number, count = SLICE_PROPOSALS): void {
    const { proposals, state } = this;
    const temperature = this.temperatures.length === 0 ? 0 : this.temperatureFor(progress);
    proposals.run(count, temperature);
    this.steps += count;
    if (++this.slices % SLICES_BETWEEN_REFRESHES === 0) state.refresh();
  }

  /** Whether another's better solution would be taken up now: when a reheat is due, which starts from the best anyway. */
  startsReheat(progress: number): boolean {
    return progress >= COOLING_ENDS && this.reheatAt(progress) > this.reheat;
  }

  /** Takes an assignment found elsewhere for the best, when it is better. It must have come from the same model and budget of moves. */
  adopt(assignment: Int32Array, cost: number): void {
    if (cost < this.best.cost) this.goTo(assignment);
  }

  private temperatureFor(progress: number): number {
    if (progress < DESCENT_ENDS) return 0;
    if (this.schedule === null && progress < (this.pilot.index < PILOT_READINGS - 1 ? PILOT_ENDS_AT_LATEST : PILOT_ENDS))
      return this.pilotTemperature((progress - DESCENT_ENDS) / (PILOT_ENDS - DESCENT_ENDS));
    this.schedule ??= this.makeSchedule();
    if (progress < COOLING_ENDS) return this.schedule.temperatureAt((progress - PILOT_ENDS) / (COOLING_ENDS - PILOT_ENDS));
    const reheat = this.reheatAt(progress);
    if (reheat > this.reheat) {
      this.reheat = reheat;
      this.goTo(this.best.assignment);
    }
    const from = FIRST_REHEAT_FROM + ((LAST_REHEAT_FROM - FIRST_REHEAT_FROM) * (reheat - 1)) / (REHEATS - 1);
    const within = ((progress - COOLING_ENDS) / (1 - COOLING_ENDS)) * REHEATS - (reheat - 1);
    return this.schedule.temperatureAt(from + (1 - from) * within);
  }

  private reheatAt(progress: number): number {
    return Math.min(REHEATS, 1 + Math.floor(((progress - COOLING_ENDS) / (1 - COOLING_ENDS)) * REHEATS));
  }

  private pilotTemperature(progress: number): number {
    const index = Math.min(PILOT_READINGS - 1, Math.floor(progress * PILOT_READINGS), this.pilot.index + 1);
    if (index !== this.pilot.index) this.endReading(index);
    return this.temperatures[index]!;
  }

  private endReading(next: number): void {
    const { index, steps, uphillCost } = this.pilot;
    const { proposals } = this;
    if (index >= 0) {
      const rise = (proposals.uphillCost - uphillCost) / Math.max(1, this.steps - steps);
      this.readings.push({ temperature: this.temperatures[index]!, uphillCost: rise });
    }
    this.pilot = { index: next, steps: this.steps, uphillCost: proposals.uphillCost };
  }

  private makeSchedule(): Schedule {
    this.endReading(-1);
    if (this.readings.length > 2) return new Schedule(this.readings, this.heat.temperaturePower);
    return new Schedule(this.temperatures.map((temperature) => ({ temperature, uphillCost: temperature })));
  }

  private goTo(assignment: Int32Array): void {
    const { state, best } = this;
    const target = assignment.slice();
    for (let w = 0; w < target.length; w++) {
      if (state.assignment[w] === target[w]) continue;
      state.shift(w, target[w]!);
      best.note(w);
    }
    state.refresh();
    if (state.cost < best.cost) best.take(state.cost);
  }
}
