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
  const tasks = configs.map((window) => ({ window, task: createTask(window.cron, () => {}, { timezone: window.timeZone }) }));
  let cached: { minute: number; open: readonly OpenWindow[] } | null = null;
  return {
    limitPowerSaving: configs.some(({ action }) => action === "power-saving"),
    open: (now) => {
      const minute = Math.floor(now / MINUTE_SECONDS);
      if (cached?.minute === minute) return cached.open;
      const open = tasks.flatMap(({ window, task }) => {
        for (let back = 0; back < window.durationMinutes; back++) {
          const since = (minute - back) * MINUTE_SECONDS;
          if (task.match(new Date(since * 1000))) return [{ window, since, until: since + window.durationMinutes * MINUTE_SECONDS }];
        }
        return [];
      });
      cached = { minute, open };
      return open;
    },
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
