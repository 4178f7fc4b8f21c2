import type { Redis } from "ioredis";
import type { Registry } from "prom-client";
import type { Config } from "../../platform/config.js";
import type { Keys } from "../../platform/keys.js";
import type { Logger } from "../../platform/log.js";
import type { MigrationJobs } from "../act/migration-jobs.js";
import type { Turns } from "../act/turns.js";
import type { FleetView } from "../fleet/fleet-view.js";
import type { Leadership } from "../lease.js";
import type { Notes } from "../notes.js";
import type { PowerActs } from "../power/carry-out-power.js";
import type { LiveSettings } from "../reload.js";
import type { Ticker } from "../tick.js";
import type { Windows } from "../windows.js";

/** What the routes work with. */
export interface ApiParts {
  readonly config: Config;
  readonly policies: LiveSettings;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly jobs: MigrationJobs;
  readonly inTurn: Turns;
  readonly leadership: Leadership;
  readonly view: FleetView;
  readonly windows: Windows;
  readonly power: PowerActs;
  readonly notes: Notes;
  readonly ticker: Ticker;
  readonly registry: Registry;
  readonly log: Logger;
}

/** Reads may be this old: a page with many viewers costs Redis one reading. */
export const READ_AGE_SECONDS = 1;
