import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { NODE_ID } from "../../../platform/config.js";
import { EvenkeelError } from "../../../platform/errors.js";
import { issueCertificate, makeAuthority } from "../../../platform/tls.js";
import { EXIT } from "../exit-codes.js";
import { runCommand } from "../run-command.js";

interface CertsOptions {
  readonly dir: string;
  readonly json?: boolean;
  readonly force?: boolean;
}

const AUTHORITY = { certificate: "ca.pem", key: "ca.key" };

/** Certificates for executors to know each other by. Works offline; talks to no scheduler. */
export function addCerts(program: Command): void {
  const certs = program.command("certs").description("make the certificates by which executors know each other");
  const common = (command: Command) =>
    command
      .option("--dir <folder>", "where the files are", "evenkeel-tls")
      .option("--force", "replace files that are there")
      .option("--json", "print the paths as JSON");

  common(certs.command("init").description("a certificate authority for one fleet: ca.pem, and ca.key which stays off the nodes"))
    .option("--name <name>", "common name of the authority", "Evenkeel fleet")
    .action((options: CertsOptions & { name: string }) =>
      runCommand({ json: options.json === true, token: "none" }, async ({ output }) => {
        const files = { certificate: join(options.dir, AUTHORITY.certificate), key: join(options.dir, AUTHORITY.key) };
        assertAbsent(Object.values(files), options.force);
        const authority = await makeAuthority(options.name);
        mkdirSync(options.dir, { recursive: true, mode: 0o700 });
        writePrivately(files.certificate, authority.certificate);
        writePrivately(files.key, authority.key);
        if (output.json) output.answer(files);
        else output.line(`Wrote ${files.certificate} (for every node) and ${files.key} (keep it off the nodes).`);
        return EXIT.ok;
      }),
    );

  common(
    certs.command("issue").argument("<node>", "the node's id").description("a node's certificate and key, signed by the fleet's authority"),
  )
    .addHelpText("after", "\nOn the node: ca.pem, <node>.pem as node.pem and <node>.key as node.key, in /etc/evenkeel/tls")
    .action((node: string, options: CertsOptions) =>
      runCommand({ json: options.json === true, token: "none" }, async ({ output }) => {
        if (!NODE_ID.test(node))
          throw new EvenkeelError("INPUT_INVALID", `"${node}" is not a node id: lower-case letters, digits, hyphens`);
        const authority = {
          certificate: readPem(join(options.dir, AUTHORITY.certificate)),
          key: readPem(join(options.dir, AUTHORITY.key)),
        };
        const files = { certificate: join(options.dir, `${node}.pem`), key: join(options.dir, `${node}.key`) };
        assertAbsent(Object.values(files), options.force);
        const pair = await issueCertificate(authority, node);
        writePrivately(files.certificate, pair.certificate);
        writePrivately(files.key, pair.key);
        if (output.json) output.answer(files);
        else output.line(`Wrote ${files.certificate} and ${files.key}.`);
        return EXIT.ok;
      }),
    );
}

function assertAbsent(paths: readonly string[], force = false): void {
  const present = paths.filter((path) => existsSync(path));
  if (present.length > 0 && !force) throw new EvenkeelError("INPUT_INVALID", `${present.join(", ")} is there already; --force replaces it`);
}

function readPem(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new EvenkeelError("INPUT_INVALID", `${(error as Error).message}; run \`evenkeel certs init\` first`, { cause: error });
  }
}

function writePrivately(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 });
  // The mode above is for a new file only; one that is replaced keeps its own.
  chmodSync(path, 0o600);
}
