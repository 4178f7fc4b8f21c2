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

/** While `doing` runs, the node's runc does something else in these cases of its command line. */
export async function withRunc<T>(node: LabNode, cases: string, doing: () => Promise<T>): Promise<T> {
  const runc = (await node.exec(["sh", "-c", "command -v runc"])).stdout.trim();
  return withProgram(node, runc, `case " $* " in ${cases} esac\nexec runc.real "$@"`, doing);
}

/** Holds the process id of the Docker whose runc is held. Its successor would wait for what is in hand when it starts, and is not to be held up either. */
const HELD = "/run/runc-is-held";
const HOLD = `while kill -0 "$(cat ${HELD})"; do sleep 0.1; done 2>/dev/null`;

/**
 * Has runc keep its answer to a command on the node back until `doing` lets go, has ended, or Docker dies. Against a race that a busy machine loses: what happens
 * meanwhile happens before the workload can run there, or before Docker knows that it does.
 */
export async function withHeldRunc<T>(
  node: LabNode,
  command: "restore" | "start",
  doing: (letGo: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const script = `runc.real "$@"; code=$?; ${HOLD}; exit $code`;
  return whileHeld(node, doing, (held) => withRunc(node, `*" ${command} "*) ${script} ;;`, held));
}

/** Has each restore stop before it begins, just as long. CRIU is held, once its images are there: runc is begun ahead of the freeze, which would wait for it. */
export async function withHeldCriu<T>(node: LabNode, doing: (letGo: () => Promise<void>) => Promise<T>): Promise<T> {
  const script = `[ "$1" = swrk ] && find /run/evenkeel -name inventory.img 2>/dev/null | grep -q . && ${HOLD}\nexec criu.real "$@"`;
  return whileHeld(node, doing, (held) => withProgram(node, "/usr/sbin/criu", script, held));
}

async function whileHeld<T>(
  node: LabNode,
  doing: (letGo: () => Promise<void>) => Promise<T>,
  put: (doing: () => Promise<T>) => Promise<T>,
): Promise<T> {
  const letGo = async () => void (await node.exec(["rm", "-f", HELD]));
  await node.exec(["sh", "-c", `pgrep -o -x dockerd >${HELD}`]);
  return put(() => doing(letGo).finally(letGo));
}
