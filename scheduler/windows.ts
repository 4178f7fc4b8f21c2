import { createTask, validateDetailed } from "node-cron";
import type { Config } from "../platform/config.js";
import { EvenkeelError } from "../platform/errors.js";
import type { Maintenance, PowerSavingWindow } from "../policies/types.js";

const MINUTE_SECONDS = 60;

export type WindowConfig = Config["scheduler"]["windows"][number];

export interface OpenWindow {
  readonly window: WindowConfig;
  /** Epoch seconds. */
  readonly since: number;
  readonly until: number;
}

export interface Windows {
  /** Those open at `now`. Computed from the clock alone, so a restart in the middle of a window changes nothing. */
  open(now: number): readonly OpenWindow[];
  /** Whether the times of power saving are limited to windows. */
  readonly limitPowerSaving: boolean;
}

/** @throws CONFIG_INVALID for a cron expression or time zone that cannot be understood. */
export function makeWindows(configs: readonly WindowConfig[]): Windows {
  configs.forEach(checkWindow);
  const starts = configs.map((window) => ({ window, begins: startsOf(window) }));
  let cached: { minute: number; open: readonly OpenWindow[] } | null = null;
  return {
    limitPowerSaving: configs.some(({ action }) => action === "power-saving"),
    open: (now) => {
      const minute = Math.floor(now / MINUTE_SECONDS);
      if (cached?.minute === minute) return cached.open;
      const open = starts.flatMap(({ window, begins }) => {
        const { durationMinutes } = window;
        const minuteOf = begins(minute - durationMinutes + 1, minute);
        if (minuteOf === null) return [];
        const since = minuteOf * MINUTE_SECONDS;
        return [{ window, since, until: since + durationMinutes * MINUTE_SECONDS }];
      });
      cached = { minute, open };
      return open;
    },
  };
}

/**
 * The latest minute (of epoch) from `first` to `last` at which the window begins; null = none. What would begin in the hour that summer time
 * leaves out begins right after it.
 */
function startsOf({ cron, timeZone }: WindowConfig): (first: number, last: number) => number | null {
  const local = createTask(cron, () => {}, { timezone: timeZone });
  const wall = createTask(cron, () => {}, { timezone: "UTC" });
  const offsetAt = readOffsets(timeZone);
  const isLeftOut = (minute: number) => {
    const offset = offsetAt(minute);
    for (let left = offsetAt(minute - 1) - offset; left < 0; left++) {
      if (wall.match(new Date((minute + offset + left) * MINUTE_SECONDS * 1000))) return true;
    }
    return false;
  };
  return (first, last) => {
    const isForward = offsetAt(last) > offsetAt(first - 1);
    for (let minute = last; minute >= first; minute--) {
      if (local.match(new Date(minute * MINUTE_SECONDS * 1000)) || (isForward && isLeftOut(minute))) return minute;
    }
    return null;
  };
}

/** By how many minutes the zone's clocks are ahead of UTC at a minute of epoch. */
function readOffsets(timeZone: string): (minute: number) => number {
  const format = new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "longOffset" });
  return (minute) => {
    const name = format.formatToParts(minute * MINUTE_SECONDS * 1000).find(({ type }) => type === "timeZoneName")?.value ?? "";
    const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)/.exec(name) ?? [];
    return (sign === "-" ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0));
  };
}

/** When nodes may sleep, as the policies see it; null = at any time. */
export function powerSavingWindow(open: readonly OpenWindow[], isLimited: boolean): PowerSavingWindow | null {
  if (!isLimited) return null;
  const saving = open.filter(({ window }) => window.action === "power-saving");
  return { active: saving.length > 0, endsAt: saving.length === 0 ? null : Math.max(...saving.map(({ until }) => until)) };
}

/** What an open window asks of this node; null = nothing. */
export function windowMaintenance(open: readonly OpenWindow[], node: string): Maintenance | null {
  const found = open.find(({ window }) => window.action === "maintenance" && window.node === node);
  if (found === undefined) return null;
  return { since: found.since, deadline: null, reason: `window until ${new Date(found.until * 1000).toISOString()}` };
}

/** Whether balancing has to keep its hands off this move. */
export function movesForbidden(open: readonly OpenWindow[], move: { from: string; to: string }): boolean {
  return open.some(
    ({ window }) => window.action === "no-moves" && (window.node === undefined || [move.from, move.to].includes(window.node)),
  );
}

function checkWindow(window: WindowConfig, index: number): void {
  const why = whyWrongWindow(window);
  if (why !== null) throw new EvenkeelError("CONFIG_INVALID", `scheduler.windows.${index}: ${why}`);
}

/** What no schema can say of a window; null = it is well. */
export function whyWrongWindow({ cron, timeZone, action, node }: WindowConfig): string | null {
  if (cron.trim().split(/\s+/).length !== 5 || !validateDetailed(cron).valid) return `"${cron}" is not a cron expression of five fields`;
  if (!isTimeZone(timeZone)) return `"${timeZone}" is not a known time zone`;
  if (action === "maintenance" && node === undefined) return "maintenance needs a node";
  if (action === "power-saving" && node !== undefined)
    return "power-saving is for the whole fleet: a node's label says whether it may sleep";
  return null;
}

/** By trying it: the list that ICU gives leaves out every name that is an alias today, as `Asia/Kolkata` and `Etc/UTC` are. */
function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
