import { OciUnpackError } from "../base/errors.ts";
import { check, type Kinds, shape, text as string, texts } from "../base/option-checks.ts";
import { present } from "../base/present.ts";
import type { JsonValue } from "./json-value.ts";

/** An operating system on a processor, with Go's names (GOOS, GOARCH), normalised (image-spec, image-index.md). */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly osVersion?: string;
  readonly osFeatures?: readonly string[];
}

/** The kinds of its members, for checking what a caller passes. */
export const platformKinds: Kinds<Platform> = {
  os: string,
  architecture: string,
  variant: string,
  osVersion: string,
  osFeatures: texts,
};
const wholePlatform = shape(platformKinds, ["os", "architecture"]);

/** The name for an unknown operating system or architecture. In an index it marks attestations. */
export const unknown = "unknown";

/** Other names for architectures. Some include a variant: armhf is arm/v7. */
const synonyms: Readonly<Record<string, { readonly architecture: string; readonly variant?: string }>> = {
  x86_64: { architecture: "amd64" },
  "x86-64": { architecture: "amd64" },
  i386: { architecture: "386" },
  aarch64: { architecture: "arm64" },
  armhf: { architecture: "arm", variant: "v7" },
  armel: { architecture: "arm", variant: "v6" },
};

/** The variants that are not written: `arm64/v8` is `arm64`. */
const basicVariants: Readonly<Record<string, string>> = { amd64: "v1", arm64: "v8" };

/** The normal form of a platform, as containerd has it. */
export function normalizePlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase();
  const written = platform.architecture.toLowerCase();
  const synonym = Object.hasOwn(synonyms, written) ? synonyms[written] : undefined;
  const architecture = synonym?.architecture ?? written;
  return present({
    ...platform,
    os: os === "macos" ? "darwin" : os,
    architecture,
    variant: normalizeVariant(architecture, synonym?.variant ?? platform.variant ?? ""),
  });
}

function normalizeVariant(architecture: string, written: string): string | undefined {
  const lower = written.toLowerCase();
  const variant = architecture.startsWith("arm") && /^\d/.test(lower) ? `v${lower}` : lower;
  const isBasic = Object.hasOwn(basicVariants, architecture) && basicVariants[architecture] === variant;
  return variant === "" || isBasic ? undefined : variant;
}

/** Parses `os/architecture[/variant]`. Throws `INVALID_PLATFORM`. */
export function parsePlatform(text: string): Platform {
  check("text", text, string);
  const [, os, architecture, variant] = /^([\w.-]{1,64})\/([\w.-]{1,64})(?:\/([\w.-]{1,64}))?$/.exec(text) ?? [];
  if (os !== undefined && architecture !== undefined) return normalizePlatform(present({ os, architecture, variant }));
  throw new OciUnpackError("INVALID_PLATFORM", `cannot parse the platform "${text.slice(0, 200)}"`, {
    hint: "write it as OS/ARCHITECTURE[/VARIANT], for instance linux/arm64",
  });
}

/** The platform as `os/architecture[/variant]`. */
export function formatPlatform(platform: Platform): string {
  check("platform", platform, wholePlatform);
  const variant = platform.variant === undefined ? "" : `/${platform.variant}`;
  return `${platform.os}/${platform.architecture}${variant}`;
}

/**
 * The platform that an entry of an index, or a config, states; `undefined` if it states none.
 *
 * Both have the same members for it. `os` and `architecture` are required, but some documents lack one of them: that
 * one is `unknown`.
 */
export function platformFrom(value: JsonValue): Platform | undefined {
  const os = value.optional("os")?.string() ?? "";
  const architecture = value.optional("architecture")?.string() ?? "";
  if (os === "" && architecture === "") return undefined;
  return normalizePlatform(
    present({
      os: os || unknown,
      architecture: architecture || unknown,
      variant: value.optional("variant")?.string(),
      osVersion: value.optional("os.version")?.string(),
      osFeatures: value.optional("os.features")?.strings(),
    }),
  );
}

/** What a process knows about the machine that it runs on. */
interface Host {
  /** `process.arch`. */
  readonly arch: string;
  /** `process.platform`. */
  readonly platform: string;
  /** `os.endianness()`. */
  readonly endianness: "BE" | "LE";
  /** `os.machine()`, the kernel's name. Only this tells the variants of 32-bit arm apart. */
  readonly machine: string;
  /** The variant of the processor (`v3` of amd64, `v9` of arm64), if the caller knows it. */
  readonly variant?: string;
}

const goArchitectures: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386", mipsel: "mipsle" };
const goSystems: Readonly<Record<string, string>> = { win32: "windows", sunos: "solaris" };

/** The platform of a machine, with Go's names. */
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

/** The kernel's name is armv6l, armv7l or armv8l, or aarch64 for a 32-bit process on a 64-bit system. */
function armVariant(machine: string): string | undefined {
  return machine === "aarch64" ? "v8" : /^arm(v[5-8])/.exec(machine)?.[1];
}
