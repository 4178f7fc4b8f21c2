import { access } from "node:fs/promises";

/** Whether the kernel here was booted with IPv6. */
export function hasIPv6(): Promise<boolean> {
  return access("/proc/sys/net/ipv6/conf").then(
    () => true,
    () => false,
  );
}
