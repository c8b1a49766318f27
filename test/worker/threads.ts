import { threadStatuses } from "../support/thread-statuses.ts";

/**
 * The working threads of this process by name, and for each "1" where it may gain privileges no more: that much of what
 * Landlock does to a thread can be seen from outside.
 */
export function threads(): readonly (readonly [name: string, noNewPrivileges: string])[] {
  return threadStatuses().flatMap((status) => {
    const [, name = ""] = /^Name:\t(.*)$/m.exec(status) ?? [];
    const [, noNewPrivileges = ""] = /^NoNewPrivs:\t(.*)$/m.exec(status) ?? [];
    return name.startsWith("oci-") ? [[name, noNewPrivileges] as const] : [];
  });
}
