import { readFileSync } from "node:fs";
import { type Config, OPERATOR_TOKEN_CHARACTERS } from "./config.js";
import { EvenkeelError } from "./errors.js";

/**
 * The configuration, with the secrets in it that it keeps in files of their own.
 * @param path only for the words of the error. @throws CONFIG_INVALID naming the setting and its file
 */
export function readSecrets(config: Config, path: string): Config {
  const { passwordFile } = config.redis;
  const { operatorTokenFile } = config.scheduler;
  const password = passwordFile === undefined ? {} : { password: readSecret(passwordFile, 1, `${path}: redis.passwordFile`) };
  const operatorToken =
    operatorTokenFile === undefined
      ? {}
      : { operatorToken: readSecret(operatorTokenFile, OPERATOR_TOKEN_CHARACTERS, `${path}: scheduler.operatorTokenFile`) };
  return { ...config, redis: { ...config.redis, ...password }, scheduler: { ...config.scheduler, ...operatorToken } };
}

function readSecret(file: string, leastCharacters: number, setting: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new EvenkeelError("CONFIG_INVALID", `${setting}: ${(error as Error).message}`, { cause: error });
  }
  // Editors, and `echo`, end a file with a line break.
  const secret = text.trimEnd();
  if (secret.length < leastCharacters) {
    throw new EvenkeelError("CONFIG_INVALID", `${setting}: ${file} holds fewer than ${leastCharacters} characters`);
  }
  return secret;
}
