import { readdir, readFile, writeFile } from "node:fs/promises";
import { EvenkeelError } from "../../../platform/errors.js";
import { readImage, readMessage, writeImage, writeMessage } from "./criu-messages.js";

/** Of images/core.proto: what a process has, and what each thread, of which one may be in a control group of its own. */
const CORE = { process: 3, thread: 5 };
const THREAD_GROUP = 16;

/**
 * Has CRIU leave the threads of a workload in the control group of their process, where they are: with version 2 threads of others are refused (`nested-cgroup`). By itself it takes each
 * for one of its own, since it cuts the path of the first thread alone where the workload's namespace begins; and what it has to move them cannot answer where the
 * workload has a standard input, which was CRIU's own (criu/cgroup.c, cgroupd). @throws CHECKPOINT_FAILED
 */
export async function keepThreadsTogether(images: string): Promise<void> {
  try {
    const names = (await readdir(images)).filter((name) => /^core-\d+\.img$/.test(name));
    await Promise.all(
      names.map(async (name) => {
        const image = await readFile(`${images}/${name}`);
        const changed = withoutThreadGroup(image);
        if (changed !== null) await writeFile(`${images}/${name}`, changed);
      }),
    );
  } catch (error) {
    throw new EvenkeelError("CHECKPOINT_FAILED", `the control groups of its threads: ${(error as Error).message}`, { cause: error });
  }
}

/** @param image core: of one thread; null = it is of a process, which keeps its group */
export function withoutThreadGroup(image: Buffer): Buffer | null {
  const { magic, messages } = readImage(image);
  const cores = messages.map(readMessage);
  if (cores.some((core) => core.some(({ number }) => number === CORE.process))) return null;
  const changed = cores.map((core) =>
    core.map((field) => {
      if (field.number !== CORE.thread || !Buffer.isBuffer(field.value)) return field;
      return { ...field, value: writeMessage(readMessage(field.value).filter(({ number }) => number !== THREAD_GROUP)) };
    }),
  );
  return writeImage({ magic, messages: changed.map(writeMessage) });
}
