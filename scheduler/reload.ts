import { unwatchFile, watchFile } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { nowSeconds } from "../platform/clock.js";
import { readConfigText } from "../platform/config.js";
import { asEvenkeelError } from "../platform/errors.js";
import type { Logger } from "../platform/log.js";
import type { PolicyConfig } from "../policies/config.js";
import { readPolicyConfig } from "./policy-config.js";

/** The policies' settings as they are now: ask each time, for they may change while the scheduler runs. */
export interface LivePolicies {
  current(): PolicyConfig;
  state(): ReloadState;
}

export interface ReloadState {
  /** Epoch seconds since which these settings are in force. */
  readonly loadedAt: number;
  /** Why the newest version of the file is not; null = it is. */
  readonly refused: string | null;
}

export interface PolicyFile extends LivePolicies {
  /** Reads the file again. Never throws: settings that are wrong in any point change nothing. */
  reload(): void;
  close(): void;
}

export interface PolicyFileOptions {
  /** Null: the settings cannot change. */
  readonly path: string | null;
  readonly initial: PolicyConfig;
  readonly log: Logger;
  /** After each attempt that changed something or was refused. */
  onReload(error: string | null): void;
}

/** By its date and not by events: an editor replaces a file, and a mounted one is replaced by a link. */
const LOOK_MILLISECONDS = 1000;

/** Follows the `policies` of the configuration file. Everything else in the file takes effect at the next start. */
export function followPolicyFile({ path, initial, log, onReload }: PolicyFileOptions): PolicyFile {
  let config = initial;
  let state: ReloadState = { loadedAt: nowSeconds(), refused: null };
  const reload = () => {
    if (path === null) return;
    try {
      const read = readPolicyConfig(readConfigText(path), path);
      const isNew = !isDeepStrictEqual(read, config);
      if (!isNew && state.refused === null) return;
      config = read;
      state = { loadedAt: isNew ? nowSeconds() : state.loadedAt, refused: null };
      log.info({ path }, isNew ? "new policy settings are in force" : "the configuration is valid again; nothing has changed");
      onReload(null);
    } catch (error) {
      const { detail } = asEvenkeelError(error);
      state = { ...state, refused: detail };
      log.error({ path, err: error }, "the changed configuration is refused as a whole; the old policy settings stay");
      onReload(detail);
    }
  };
  if (path !== null) watchFile(path, { interval: LOOK_MILLISECONDS, persistent: false }, reload);
  return {
    current: () => config,
    state: () => state,
    reload,
    close: () => {
      if (path !== null) unwatchFile(path, reload);
    },
  };
}
