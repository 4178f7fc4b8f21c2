import { environment } from "../enter.js";

/** Where a virtual node's own machine keeps the master connection to its guest. */
export const CONTROL_SOCKET = "/run/control.sock";
export const GUEST_ADDRESS = "192.168.127.2";

/** Host keys are the same on every guest and the link is private to the pair: there is nobody else to be taken for. */
const SSH = [
  "ssh",
  "-F",
  "none",
  "-i",
  "/var/lib/guest/key",
  "-o",
  "StrictHostKeyChecking=no",
  "-o",
  "UserKnownHostsFile=/dev/null",
  "-o",
  "LogLevel=ERROR",
  "-S",
  CONTROL_SOCKET,
];

/** Keeps one connection open for all that follow: under emulation each handshake takes a second. Given up when the guest falls silent. */
export const masterCommand: readonly string[] = [
  ...SSH,
  "-M",
  "-N",
  "-o",
  "ConnectTimeout=5",
  "-o",
  "ServerAliveInterval=5",
  "-o",
  "ServerAliveCountMax=12",
  `root@${GUEST_ADDRESS}`,
];

export interface GuestCommand {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Shell words before the command, such as a redirection of what follows. */
  readonly before?: string;
}

/** What to run in a virtual node's own machine so that the command runs in its guest. */
export function inGuest(command: readonly string[], { env, cwd, before = "" }: GuestCommand = {}): string[] {
  const words = Object.entries(environment(env)).map(([name, value]) => `${name}=${value}`);
  const enter = cwd === undefined ? "" : `cd ${quote(cwd)} && `;
  // Never a connection of its own: without the master it fails at once.
  return [
    ...SSH,
    "-o",
    "ControlMaster=no",
    "-o",
    "ProxyCommand=false",
    `root@${GUEST_ADDRESS}`,
    `${enter}${before}exec env -i ${[...words, ...command].map(quote).join(" ")}`,
  ];
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
