import { createHash } from "node:crypto";
import { existsSync, unwatchFile, watchFile } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import type { z } from "zod";
import { nowSeconds } from "../platform/clock.js";
import type { Config } from "../platform/config.js";
import { asEvenkeelError, EvenkeelError } from "../platform/errors.js";
import { describeIssues } from "../platform/field-line.js";
import { parseConfig, readConfigText } from "../platform/load-config.js";
import type { Logger } from "../platform/log.js";
import type { PolicyConfig } from "../policies/config.js";
import type { Mode } from "./act/carry-out-plan.js";
import { beyondReach, type Rhythm, type WrongSetting } from "./fleet/look-back.js";
import { parsePolicyConfig, readPolicyConfig } from "./policy-config.js";
import { makeWindows, type Windows, whyWrongWindow } from "./windows.js";

/** The settings that may change while the scheduler runs, as they are now: ask each time. */
export interface LiveSettings {
  current(): PolicyConfig;
  mode(): Mode;
  readonly windows: Windows;
  state(): ReloadState;
}

export interface ReloadState {
  /** Epoch seconds since which these settings are in force. */
  readonly loadedAt: number;
  /** Why the newest version of the file is not; null = it is. */
  readonly refused: string | null;
  /** Of these settings: the same on schedulers that decide alike. */
  readonly digest: string;
}

export interface SettingsFile extends LiveSettings {
  /** Reads the file again. Never throws: settings that are wrong in any point change nothing. */
  reload(): void;
  close(): void;
}

export interface SettingsFileOptions {
  /** Null: the settings cannot change. */
  readonly path: string | null;
  readonly initial: Config;
  readonly log: Logger;
  /** After each attempt that changed something or was refused. */
  onReload(error: string | null): void;
}

/** By its date and not by events: an editor replaces a file, and a mounted one is replaced by a link. */
const LOOK_MILLISECONDS = 1000;

/**
 * Follows the `policies`, the mode and the windows of the configuration file. Everything else in the file takes effect at the next start.
 * @throws CONFIG_INVALID when the initial settings are wrong, naming every wrong field, and its line where there is a file.
 */
export function followSettings({ path, initial, log, onReload }: SettingsFileOptions): SettingsFile {
  // One that was never there means the defaults; one that is taken away, if only to be put back, must not.
  let wasThere = path !== null && existsSync(path);
  // Read anew rather than taken from what was read before: only the text can tell the line of what is wrong.
  let settings =
    path !== null && wasThere ? readSettings(readConfigText(path), path, { power: true, rhythm: initial.collector }) : settingsOf(initial);
  let windows = makeWindows(settings.windows);
  let state: ReloadState = { loadedAt: nowSeconds(), refused: null, digest: digestOf(settings) };
  const reload = () => {
    if (path === null) return;
    try {
      const isThere = existsSync(path);
      if (wasThere && !isThere) throw new EvenkeelError("CONFIG_INVALID", `${path} is gone`);
      wasThere = isThere;
      const read = readSettings(readConfigText(path), path, { power: initial.scheduler.power !== undefined, rhythm: initial.collector });
      const isNew = !isDeepStrictEqual(read, settings);
      if (!isNew && state.refused === null) return;
      windows = makeWindows(read.windows);
      settings = read;
      state = { loadedAt: isNew ? nowSeconds() : state.loadedAt, refused: null, digest: digestOf(read) };
      log.info({ path, mode: read.mode }, isNew ? "new settings are in force" : "the configuration is valid again; nothing has changed");
      onReload(null);
    } catch (error) {
      const { detail } = asEvenkeelError(error);
      state = { ...state, refused: detail };
      log.error({ path, err: error }, "the changed configuration is refused as a whole; the old settings stay");
      onReload(detail);
    }
  };
  if (path !== null) watchFile(path, { interval: LOOK_MILLISECONDS, persistent: false }, reload);
  return {
    current: () => settings.policies,
    mode: () => settings.mode,
    windows: {
      open: (now) => windows.open(now),
      get limitPowerSaving() {
        return windows.limitPowerSaving;
      },
    },
    state: () => state,
    reload,
    close: () => {
      if (path !== null) unwatchFile(path, reload);
    },
  };
}

/** Of what takes effect at a start only, that which these settings lean on. */
interface InForce {
  readonly power: boolean;
  readonly rhythm: Rhythm;
}

interface Settings {
  readonly policies: PolicyConfig;
  readonly mode: Mode;
  readonly windows: Config["scheduler"]["windows"];
}

/** The schemas give fields in one order, whatever that in the file. */
function digestOf(settings: Settings): string {
  return createHash("sha256").update(JSON.stringify(settings)).digest("hex").slice(0, 16);
}

function settingsOf(config: Config): Settings {
  const { scheduler } = config;
  const policies = parsePolicyConfig(config.policies);
  const wrong = wrongPolicies(policies, scheduler.power !== undefined, { power: true, rhythm: config.collector });
  if (wrong.length > 0)
    throw new EvenkeelError("CONFIG_INVALID", wrong.map(({ path, why }) => `policies.${path.join(".")}: ${why}`).join("\n"));
  return { policies, mode: scheduler.mode, windows: scheduler.windows };
}

function wrongPolicies(policies: PolicyConfig, isPowerConfigured: boolean, { power, rhythm }: InForce): WrongSetting[] {
  const noPower = whyNoPower(policies, isPowerConfigured, power);
  return [...(noPower === null ? [] : [{ path: ["consolidate", "enabled"], why: noPower }]), ...beyondReach(policies, rhythm)];
}

/** Nodes that are emptied and never sleep would only keep the others full. Null: all is well. */
function whyNoPower({ consolidate }: PolicyConfig, isConfigured: boolean, isInForce: boolean): string | null {
  if (!consolidate?.enabled || (isConfigured && isInForce)) return null;
  return isConfigured
    ? "`scheduler.power` takes effect when the scheduler is started again, and this needs it"
    : "needs `scheduler.power`: without it nodes are emptied and never put to sleep";
}

/** @throws CONFIG_INVALID naming every wrong field with its line. */
function readSettings(text: string, path: string, inForce: InForce): Settings {
  const { scheduler } = parseConfig(text, path);
  const policies = readPolicyConfig(text, path);
  const wrong = scheduler.windows.flatMap((window, index): z.core.$ZodIssue[] => {
    const why = whyWrongWindow(window);
    return why === null ? [] : [{ code: "custom", input: window, path: ["scheduler", "windows", index], message: why }];
  });
  for (const { path: field, why } of wrongPolicies(policies, scheduler.power !== undefined, inForce))
    wrong.push({ code: "custom", input: policies, path: ["policies", ...field], message: why });
  if (wrong.length > 0) throw new EvenkeelError("CONFIG_INVALID", `${path}:\n${describeIssues(text, wrong)}`);
  return { policies, mode: scheduler.mode, windows: scheduler.windows };
}
