import { OciUnpackError } from "../base/errors.ts";
import { check, type Kinds, shape, text as string, texts } from "../base/option-checks.ts";
import { present } from "../base/present.ts";
import type { JsonValue } from "./json-value.ts";

/** An operating system on a processor, in GOOS and GOARCH words, normalised (image-spec, image-index.md). */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly osVersion?: string;
  readonly osFeatures?: readonly string[];
}

/** What its members have to be where a caller names them. */
export const platformKinds: Kinds<Platform> = {
  os: string,
  architecture: string,
  variant: string,
  osVersion: string,
  osFeatures: texts,
};
const wholePlatform = shape(platformKinds, ["os", "architecture"]);

/** What a document says where it does not know. An index lists attestations under it. */
export const unknown = "unknown";

/** Other people's words for an architecture. A variant here is part of the word: armhf is nothing but arm/v7. */
const synonyms: Readonly<Record<string, { readonly architecture: string; readonly variant?: string }>> = {
  x86_64: { architecture: "amd64" },
  "x86-64": { architecture: "amd64" },
  i386: { architecture: "386" },
  aarch64: { architecture: "arm64" },
  armhf: { architecture: "arm", variant: "v7" },
  armel: { architecture: "arm", variant: "v6" },
};

/** The variants that go without saying: `arm64/v8` is `arm64`. */
const basicVariants: Readonly<Record<string, string>> = { amd64: "v1", arm64: "v8" };

/** One way to say each platform, as containerd normalises them. */
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

/** Reads `os/architecture[/variant]`. Throws `INVALID_PLATFORM`. */
export function parsePlatform(text: string): Platform {
  check("text", text, string);
  const [, os, architecture, variant] = /^([\w.-]{1,64})\/([\w.-]{1,64})(?:\/([\w.-]{1,64}))?$/.exec(text) ?? [];
  if (os !== undefined && architecture !== undefined) return normalizePlatform(present({ os, architecture, variant }));
  throw new OciUnpackError("INVALID_PLATFORM", `cannot parse the platform "${text.slice(0, 200)}"`, {
    hint: "write it as OS/ARCHITECTURE[/VARIANT], for instance linux/arm64",
  });
}

/** `os/architecture[/variant]`. */
export function formatPlatform(platform: Platform): string {
  check("platform", platform, wholePlatform);
  const variant = platform.variant === undefined ? "" : `/${platform.variant}`;
  return `${platform.os}/${platform.architecture}${variant}`;
}

/**
 * The platform that an index's entry or a config states, if it states any.
 *
 * Both state it in members of the same names. Neither may leave out `os` and `architecture`, yet some do: of a pair,
 * the one that is missing is `unknown`.
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

/** What a process says of the machine below it. */
interface Host {
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
