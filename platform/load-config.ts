import { existsSync, readFileSync } from "node:fs";
import { type Config, configSchema } from "./config.js";
import { EvenkeelError } from "./errors.js";
import { describeIssues, describeSyntaxError } from "./field-line.js";
import { readSecrets } from "./secret-files.js";

/** Where the configuration is: EVENKEEL_CONFIG, or its usual place. */
export function configPath(): string {
  return process.env["EVENKEEL_CONFIG"] ?? "/etc/evenkeel/config.json";
}

/**
 * With the secrets that are kept in files of their own. A missing file means all defaults, unless EVENKEEL_CONFIG names it.
 * @throws CONFIG_INVALID naming every wrong field with its line
 */
export function loadConfig(path: string = configPath()): Config {
  const text = readConfigText(path);
  if (path === process.env["EVENKEEL_CONFIG"] && !existsSync(path)) {
    throw new EvenkeelError("CONFIG_INVALID", `${path}, which EVENKEEL_CONFIG names, is not there`);
  }
  return readSecrets(parseConfig(text, path), path);
}

/** @throws CONFIG_INVALID when there is a file that cannot be read. */
export function readConfigText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw new EvenkeelError("CONFIG_INVALID", `${path}: ${String(error)}`);
    return "{}";
  }
}

/** @param path only for the words of the error. */
export function parseConfig(text: string, path: string): Config {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new EvenkeelError("CONFIG_INVALID", `${path}: ${describeSyntaxError(text, error as Error)}`, { cause: error });
  }
  const parsed = configSchema.safeParse(value);
  if (!parsed.success) throw new EvenkeelError("CONFIG_INVALID", `${path}:\n${describeIssues(text, parsed.error.issues)}`);
  return parsed.data;
}
