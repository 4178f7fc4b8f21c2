import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { loadConfig, parseConfig } from "../../../platform/load-config.js";

const parse = (config: unknown) => parseConfig(JSON.stringify(config, null, 2), "config.json");

describe("The configuration", () => {
  it("is refused when a node would be unknown whenever one sample is late", () => {
    expect(() => parse({ collector: { intervalSeconds: 30 } })).to.throw(/sampleTtlSeconds.*must be at least twice intervalSeconds/s);
    expect(() => parse({ collector: { sampleTtlSeconds: 9 } })).to.throw("sampleTtlSeconds");
    expect(parse({ collector: { intervalSeconds: 30, sampleTtlSeconds: 60 } }).collector).to.include({ sampleTtlSeconds: 60 });
  });

  describe("whose secrets are in files of their own", () => {
    const SECRETS = { password: "of-redis", token: "a-token-of-16-ch" };
    let folder: string;
    const load = (config: unknown) => {
      const file = join(folder, "config.json");
      writeFileSync(file, JSON.stringify(config));
      return loadConfig(file);
    };
    const redisWith = (passwordFile: string) => ({ redis: { url: "redis://localhost", passwordFile: join(folder, passwordFile) } });

    before(() => {
      folder = mkdtempSync(join(tmpdir(), "evenkeel-config-"));
      for (const [name, secret] of Object.entries(SECRETS)) writeFileSync(join(folder, name), `${secret}\n`);
      writeFileSync(join(folder, "empty"), "\n");
    });
    after(() => rmSync(folder, { recursive: true }));

    it("has them, without the line break at the end of the file", () => {
      const { redis, scheduler } = load({ ...redisWith("password"), scheduler: { operatorTokenFile: join(folder, "token") } });
      expect([redis.password, scheduler.operatorToken]).to.deep.equal([SECRETS.password, SECRETS.token]);
    });

    it("is refused when such a file is not there, empty, or holds a token that is too short", () => {
      expect(() => load(redisWith("none"))).to.throw(/config\.json: redis\.passwordFile: ENOENT.*none/);
      expect(() => load(redisWith("empty"))).to.throw(/redis\.passwordFile: .*empty holds fewer than 1/);
      const short = { scheduler: { operatorTokenFile: join(folder, "password") } };
      expect(() => load(short)).to.throw(/scheduler\.operatorTokenFile: .*password holds fewer than 16/);
    });

    it("is refused when a secret is given twice", () => {
      expect(() => parse({ redis: { url: "redis://localhost", password: "a", passwordFile: "/b" } })).to.throw(
        /line 5, redis\.passwordFile/,
      );
      const twice = { scheduler: { operatorToken: "a-token-of-16-ch", operatorTokenFile: "/b" } };
      expect(() => parse(twice)).to.throw(/scheduler\.operatorTokenFile: stands in place of operatorToken/);
    });
  });

  it("is all defaults without a file, but not when EVENKEEL_CONFIG names one that is not there", () => {
    const before = process.env["EVENKEEL_CONFIG"];
    try {
      delete process.env["EVENKEEL_CONFIG"];
      expect(loadConfig("/none/config.json").redis.url).to.equal("redis://127.0.0.1:6379");
      process.env["EVENKEEL_CONFIG"] = "/none/config.json";
      expect(() => loadConfig()).to.throw("/none/config.json, which EVENKEEL_CONFIG names, is not there");
    } finally {
      if (before === undefined) delete process.env["EVENKEEL_CONFIG"];
      else process.env["EVENKEEL_CONFIG"] = before;
    }
  });
});
