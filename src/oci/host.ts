/** `host[:port]` without the port. An IPv6 address keeps its brackets, and so its last group. */
export function withoutPort(host: string): string {
  // Linear: digits are looked at once, from the colon before them.
  return host.replace(/:\d+$/, "");
}
