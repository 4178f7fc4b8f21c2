import { readFileSync } from "node:fs";
import { expect } from "chai";
import { z } from "zod";
import { generatedPages } from "../../../docs/generate/generated-pages.js";
import { settingsOf } from "../../../docs/generate/settings.js";
import { CATALOGUE } from "../../../platform/errors.js";
import { projectPath } from "../../../platform/paths.js";

describe("The pages that are drawn from code", () => {
  for (const [path, text] of generatedPages()) {
    it(`${path} says what the code says; if not, run \`npm run generate\``, () => {
      expect(readFileSync(projectPath(path), "utf8")).to.equal(text);
    });
  }

  it("list every error", () => {
    const page = generatedPages().get("docs/errors.md");
    for (const code of Object.keys(CATALOGUE)) expect(page).to.include(`\`${code}\``);
  });
});

describe("A schema as a list of settings", () => {
  const rows = settingsOf(
    z.strictObject({
      retries: z.number().int().positive().default(3).describe("How often"),
      windows: z.array(z.strictObject({ cron: z.string() })).default([]),
      server: z.strictObject({ url: z.string(), mode: z.enum(["a", "b"]).optional() }).prefault({ url: "http://here" }),
    }),
  );

  it("gives each leaf its path, its default and what is allowed", () => {
    expect(rows.find(({ path }) => path === "retries")).to.deep.equal({
      path: "retries",
      allowed: "whole number above 0",
      standard: 3,
      isRequired: false,
      meaning: "How often",
    });
    expect(rows.find(({ path }) => path === "server.mode")).to.include({ allowed: "`a`, `b`", standard: undefined, isRequired: false });
  });

  it("asks for a list's entries to be complete", () => {
    expect(rows.find(({ path }) => path === "windows[].cron")).to.include({ isRequired: true });
  });

  it("takes a field's default from its section where that has one", () => {
    expect(rows.find(({ path }) => path === "server.url")).to.include({ standard: "http://here", isRequired: false });
  });
});
