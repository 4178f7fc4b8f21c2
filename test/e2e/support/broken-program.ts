import type { LabNode } from "../../../lab/docker-host.js";

/** Puts a script in the place of a program of the node while `doing` runs. The real one is then at `<path>.real`. */
export async function withProgram<T>(node: LabNode, path: string, script: string, doing: () => Promise<T>): Promise<T> {
  const shell = (line: string) => node.exec(["sh", "-c", line]);
  await shell(`mv ${path} ${path}.real && cat >${path} <<'END'\n#!/bin/sh\n${script}\nEND\nchmod 755 ${path}`);
  try {
    return await doing();
  } finally {
    await shell(`mv ${path}.real ${path}`);
  }
}

/** Has runc fail to restore every container on the node whose configuration has that word, while `doing` runs. */
export async function withoutRestoreOf<T>(node: LabNode, word: string, doing: () => Promise<T>): Promise<T> {
  const runc = (await node.exec(["sh", "-c", "command -v runc"])).stdout.trim();
  const script = [
    `case "$*" in *restore*) bundle=$(printf "%s\\n" "$@" | grep -A1 -x -e --bundle | tail -1); grep -q ${word} "$bundle/config.json" && exit 1;; esac`,
    'exec runc.real "$@"',
  ];
  return withProgram(node, runc, script.join("\n"), doing);
}
