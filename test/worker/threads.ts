import { readdirSync, readFileSync } from "node:fs";

/**
 * The working threads of this process by name, and for each "1" where it may gain privileges no more: that much of what
 * Landlock does to a thread can be seen from outside.
 */
export function threads(): readonly (readonly [name: string, noNewPrivileges: string])[] {
  return readdirSync("/proc/self/task").flatMap((task) => {
    const status = readFileSync(`/proc/self/task/${task}/status`, "utf8");
    const [, name = ""] = /^Name:\t(.*)$/m.exec(status) ?? [];
    const [, noNewPrivileges = ""] = /^NoNewPrivs:\t(.*)$/m.exec(status) ?? [];
    return name.startsWith("oci-") ? [[name, noNewPrivileges] as const] : [];
  });
}
