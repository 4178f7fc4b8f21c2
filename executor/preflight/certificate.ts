import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import type { TlsFiles } from "../../platform/tls.js";
import type { CertificateFacts } from "./node-facts.js";

/** Whether other executors will believe this node's certificate. */
export async function readCertificate(files: TlsFiles, node: string): Promise<CertificateFacts> {
  const path = files.certificate;
  try {
    const [authority, text, key] = await Promise.all([files.authority, path, files.key].map((file) => readFile(file, "utf8")));
    const certificate = new X509Certificate(text!);
    const expiresAt = Date.parse(certificate.validTo) / 1000;
    const trouble = whyNotUsable(certificate, new X509Certificate(authority!), node);
    if (trouble === null) createSecureContext({ cert: text, key });
    return { path, trouble, expiresAt };
  } catch (error) {
    return { path, trouble: (error as Error).message, expiresAt: null };
  }
}

function whyNotUsable(certificate: X509Certificate, authority: X509Certificate, node: string): string | null {
  if (!certificate.verify(authority.publicKey)) return "it was not issued by this authority";
  const named = /^CN=(.*)$/m.exec(certificate.subject)?.[1];
  if (named !== node) return `it was issued to ${named}, and this node is ${node}`;
  if (Date.parse(certificate.validTo) < Date.now()) return `it expired on ${certificate.validTo}`;
  if (Date.parse(certificate.validFrom) > Date.now()) return `it is valid from ${certificate.validFrom} on`;
  return null;
}
