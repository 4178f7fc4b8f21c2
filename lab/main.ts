import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { projectPath } from "../platform/paths.js";
import { waitFor } from "./deadline.js";
import { type LabKind, startLab } from "./lab.js";
import { isLookedAfter, labFolder, labsWithFolders, readRecord } from "./lab-record.js";
import { listLeftovers } from "./leftovers.js";
import { isAlive } from "./process-identity.js";
import { takeDown, takeDownAbandoned } from "./take-down.js";
import { inGuest } from "./vm/guest-command.js";

const GIBIBYTE = 1024 ** 3;
const say = (line: string) => process.stdout.write(`${line}\n`);

const program = new Command("lab").description("A fleet of real Docker hosts on this machine, for development and tests.");

program
  .command("up")
  .description("start a lab and hold it until Ctrl-C")
  .option("--name <name>", "name of the lab", "dev")
  .option("--nodes <count>", "how many nodes", "2")
  .option("--cpu <cores>", "CPU cores of each node", "1")
  .option("--memory <GiB>", "memory of each node", "2")
  .addOption(new Option("--kind <kind>", "what a node is").choices(["namespaces", "vm"]).default("namespaces"))
  .option("--detach", "return once it is up; `down` ends it")
  .action(async (options: { name: string; nodes: string; cpu: string; memory: string; kind: LabKind; detach?: boolean }) => {
    if (options.detach) return upDetached(options.name);
    const lab = await startLab({
      name: options.name,
      kind: options.kind,
      nodes: Array.from({ length: Number(options.nodes) }, (_, index) => ({
        name: `node${index + 1}`,
        cpuCores: Number(options.cpu),
        memoryBytes: Number(options.memory) * GIBIBYTE,
      })),
      onProgress: changed((step, percent) => say(percent === undefined ? step : `${step} ${percent} %`)),
    });
    for (const node of lab.nodes) say(`${node.name} ${node.address} DOCKER_HOST=unix://${node.dockerSocket}`);
    say(`up; state in ${lab.stateDirectory}`);
    const keepAlive = setInterval(() => undefined, 60_000);
    await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
    clearInterval(keepAlive);
    const left = await lab.close();
    for (const line of left) say(`left: ${line}`);
    process.exitCode = left.length === 0 ? 0 : 1;
  });

program
  .command("down")
  .description("take a lab down")
  .argument("[name]", "name of the lab", "dev")
  .action(async (name: string) => {
    const record = await readRecord(name);
    if (record && isAlive(record.orchestrator)) process.kill(record.orchestrator.pid, "SIGTERM");
    if (isLookedAfter(record)) await waitFor(`lab ${name} to go`, 180, async () => !(await labsWithFolders()).includes(name));
    else await takeDown(name);
  });

program
  .command("status")
  .description("list the labs of this machine")
  .action(async () => {
    for (const name of await labsWithFolders()) {
      const record = await readRecord(name);
      const machines = record?.machines?.map((machine) => `${machine.name} ${machine.address}`).join(", ") ?? "not up";
      say(`${name}: ${isLookedAfter(record) ? "running" : "abandoned"}; ${machines}`);
    }
  });

program
  .command("leftovers")
  .description("list what labs left behind; exit 1 when there is anything")
  .action(async () => {
    const left = await listLeftovers();
    for (const line of left) say(line);
    process.exitCode = left.length === 0 ? 0 : 1;
  });

program
  .command("clean")
  .description("take down every lab that nobody looks after any more")
  .action(async () => {
    for (const name of await takeDownAbandoned()) say(`took down ${name}`);
  });

program
  .command("exec")
  .description("run a command in a machine of a lab: exec node1 -- docker ps")
  .option("--name <name>", "name of the lab", "dev")
  .argument("<machine>")
  .argument("<command...>")
  .action(async (machine: string, command: string[], options: { name: string }) => {
    const folder = join(labFolder(options.name), machine);
    const words = existsSync(join(folder, "guest")) ? inGuest(command) : command;
    const child = spawn(projectPath("lab/scripts/enter.sh"), [folder, ...words], { stdio: "inherit" });
    const [code] = await once(child, "exit");
    process.exitCode = code ?? 1;
  });

/** Passes on only what differs from the last call. */
function changed(tell: (step: string, percent?: number) => void): (step: string, percent?: number) => void {
  let last = "";
  return (step, percent) => {
    if (`${step} ${percent}` !== last) tell(step, percent);
    last = `${step} ${percent}`;
  };
}

async function upDetached(name: string): Promise<void> {
  const path = join(tmpdir(), `evenkeel-lab-${name}.log`);
  const log = openSync(path, "w");
  const child = spawn(
    process.execPath,
    process.argv.slice(1).filter((argument) => argument !== "--detach"),
    { detached: true, stdio: ["ignore", log, log] },
  );
  child.unref();
  await waitFor(`lab ${name} to be up`, 600, async () => {
    if (child.exitCode !== null) throw new Error(await readFile(path, "utf8"));
    return (await readRecord(name))?.machines !== undefined;
  });
  say(await readFile(path, "utf8"));
}

await program.parseAsync();
