/** What both processes get on their command line as JSON, with the rest of their orders. */
export interface PagesTls {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

export interface PageProxyOrders {
  /** The node whose certificate may bring pages. */
  readonly node: string;
  readonly migration: string;
  readonly firstPort: number;
  readonly tls: PagesTls;
}

export interface PageSourceOrders {
  readonly host: string;
  readonly port: number;
  readonly node: string;
  readonly migration: string;
  readonly tls: PagesTls;
}

/** In the source's folder of a migration, for as long as its memory follows: how many bytes of it a second may be sent that nobody waits for. */
export const PACE_FILE = "page-pace";

/** Named in the TLS handshake, so that pages can only flow between the two ends of one migration. */
export const pagesProtocol = (migration: string) => `evenkeel-pages/${migration}`;

/** How many moves by `postcopy` may come to a node at once: each has a port of its own. */
export const PAGE_PORTS = 8;

/** Where a workload's missing memory stands, as the proxy writes it down beside the images. */
export interface PagesState {
  /** `lost`: pages can never arrive, and the copy that needed them was ended. */
  readonly state: "waiting" | "flowing" | "done" | "lost";
  /** Where the proxy listens. */
  readonly port: number;
  readonly doneBytes: number;
  readonly totalBytes: number;
}
