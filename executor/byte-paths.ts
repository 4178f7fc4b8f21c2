/**
 * File names on Linux are bytes, and need not be UTF-8: a *byte path* is a string each character of which is one byte. To Node such a name can only be given as
 * a buffer; decoded as text it would name no file.
 */
export function bytesOf(bytePath: string): Buffer {
  return Buffer.from(bytePath, "latin1");
}

/** Of an ordinary string. */
export function bytePathOf(path: string): string {
  return Buffer.from(path).toString("latin1");
}

/** What a byte path below an ordinary one is called for Node. */
export function below(folder: string, bytePath: string): Buffer {
  return Buffer.concat([Buffer.from(`${folder}/`), bytesOf(bytePath)]);
}
