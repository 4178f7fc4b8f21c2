import { unpackPackages } from "../../../lab/unpack-packages.js";

/** Debian's stable release has an older CRIU (4.1) than the one that nodes of the lab run. */
const SUITE = "trixie";

/** A folder with a real, older build of CRIU and its libraries. */
export function olderCriu(): Promise<string> {
  return unpackPackages("criu", SUITE, ["criu", "libcompel1", "libnet1"]);
}
