import { normalizePlatform, type Platform } from "./platform.ts";

/** What a process says of the machine below it. */
export interface Host {
  /** `process.arch`. */
  readonly arch: string;
  /** `process.platform`. */
  readonly platform: string;
  /** `os.endianness()`. */
  readonly endianness: "BE" | "LE";
  /** `os.machine()`: the kernel's word, which alone tells one 32-bit arm from another. */
  readonly machine: string;
  /** The level that the processor reaches (`v3` of amd64, `v9` of arm64), where the caller knows it. */
  readonly variant?: string;
}

const goArchitectures: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386", mipsel: "mipsle" };
const goSystems: Readonly<Record<string, string>> = { win32: "windows", sunos: "solaris" };

/** The platform of a machine, in Go's words. */
export function hostPlatform(host: Host): Platform {
  const architecture = goArchitecture(host);
  const variant = host.variant ?? (architecture === "arm" ? armVariant(host.machine) : undefined);
  const os = goSystems[host.platform] ?? host.platform;
  return normalizePlatform(variant === undefined ? { os, architecture } : { os, architecture, variant });
}

function goArchitecture(host: Host): string {
  if (host.arch === "ppc64" && host.endianness === "LE") return "ppc64le";
  return goArchitectures[host.arch] ?? host.arch;
}

/** The kernel says armv6l, armv7l or armv8l; it says aarch64 to a 32-bit process on a 64-bit system. */
function armVariant(machine: string): string | undefined {
  return machine === "aarch64" ? "v8" : /^arm(v[5-8])/.exec(machine)?.[1];
}
