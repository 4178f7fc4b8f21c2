import { configurationPage } from "./configuration-page.js";
import { errorsPage } from "./errors-page.js";
import { preflightPage } from "./preflight-page.js";

/** Path below the project's top folder -> text, of every page that is drawn from code and kept in git. */
export function generatedPages(): ReadonlyMap<string, string> {
  return new Map([
    ["docs/configuration.md", configurationPage()],
    ["docs/errors.md", errorsPage()],
    ["docs/preflight.md", preflightPage()],
  ]);
}
