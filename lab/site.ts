/** Paths and numbers every machine of a lab shares. */
export interface Site {
  readonly lab: string;
  readonly folder: string;
  /** The same folder on the host and, as /shared, in every machine. */
  readonly sharedDirectory: string;
  readonly rootDirectory: string;
  readonly fabric: Fabric;
  /** The text of /etc/hosts. */
  readonly hosts: string;
}

/** The network namespace with the bridge. */
export interface Fabric {
  readonly folder: string;
  readonly pid: number;
}

export const SUBNET_PREFIX = 24;
export const SUBNET = `10.77.0.0/${SUBNET_PREFIX}`;
export const BRIDGE_OCTET = 254;
export const CONTROL_OCTET = 2;
export const CLIENTS_OCTET = 3;
/** The machine from which virtual nodes are copied, while it is being made. */
export const MOULD_OCTET = 4;
const FIRST_NODE_OCTET = 11;
/** Workloads have the addresses above. */
export const MOST_NODES = 100;

export const addressOf = (octet: number) => `10.77.0.${octet}`;
export const nodeOctet = (index: number) => FIRST_NODE_OCTET + index;
