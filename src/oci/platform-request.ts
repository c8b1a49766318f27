import { formatPlatform, normalizePlatform, type Platform, parsePlatform } from "./platform.ts";

/** Which platform an image is wanted for. */
export interface PlatformRequest {
  readonly platform: Platform;
  /** Whether somebody asked for it, or for a part of it, rather than just being on such a machine. */
  readonly explicit: boolean;
  /** What will do, best first; the platform itself leads. */
  readonly acceptable: readonly Platform[];
  /** Whether, after these, any other will do. */
  readonly acceptsAny?: boolean;
}

/**
 * What `asked` means on this host; what it leaves out is the host's.
 *
 * How far a substitute may differ depends on what was asked for. A variant: not at all. An architecture: a lower
 * variant of it will do. Neither: whatever the host runs will do, arm on arm64 included. The order is containerd's, but
 * for 386, which nobody on amd64 gets without asking. A higher variant never does: this machine may be unable to run
 * it.
 */
export function requestPlatform(asked: string | Partial<Platform> | undefined, host: Platform): PlatformRequest {
  const parts = typeof asked === "string" ? parsePlatform(asked) : definedParts(asked ?? {});
  const platform = checked(
    parts.architecture === undefined
      ? { ...host, ...parts }
      : { os: host.os, ...parts, architecture: parts.architecture },
  );
  return { platform, explicit: Object.keys(parts).length > 0, acceptable: [platform, ...substitutes(platform, parts)] };
}

function substitutes(platform: Platform, asked: Partial<Platform>): readonly Platform[] {
  const isVariantAsked =
    asked.variant !== undefined || (asked.architecture !== undefined && platform.variant !== undefined);
  if (isVariantAsked) return [];
  return asked.architecture === undefined
    ? [...lowerVariants(platform), ...otherArchitectures(platform)]
    : lowerVariants(platform);
}

/** How well `candidate` meets the request: 0 is best, `undefined` is not at all. */
export function rank(request: PlatformRequest, candidate: Platform): number | undefined {
  const { platform, acceptable, acceptsAny } = request;
  const index = meetsSystem(platform, candidate) ? acceptable.findIndex((one) => isSameProcessor(one, candidate)) : -1;
  if (index >= 0) return index;
  return acceptsAny ? acceptable.length : undefined;
}

/** The same request, which now anything meets. */
export function anyPlatform(request: PlatformRequest): PlatformRequest {
  return { ...request, acceptsAny: true };
}

function definedParts(asked: Partial<Platform>): Partial<Platform> {
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
}

/** Held to the grammar of platforms, through which an architecture may bring its variant: `arm/v6`. */
function checked(platform: Platform): Platform {
  return normalizePlatform({ ...platform, ...parsePlatform(formatPlatform(platform)) });
}

/** The other architectures whose programs this one runs: 32-bit arm on arm64. */
function otherArchitectures(platform: Platform): readonly Platform[] {
  if (platform.architecture !== "arm64") return [];
  const arm = { ...platform, architecture: "arm", variant: "v8" };
  return [arm, ...lowerVariants(arm)];
}

/** An image may need a version and features of its system; a feature that nobody asked for is one nobody has. */
function meetsSystem(wanted: Platform, candidate: Platform): boolean {
  if (candidate.os !== wanted.os) return false;
  if (wanted.osVersion !== undefined && candidate.osVersion !== wanted.osVersion) return false;
  return (candidate.osFeatures ?? []).every((feature) => wanted.osFeatures?.includes(feature) === true);
}

function isSameProcessor(one: Platform, other: Platform): boolean {
  return one.architecture === other.architecture && levelOf(one) === levelOf(other);
}

/** Highest first; "" is the basic variant, which goes without saying. */
const ladders: Readonly<Record<string, readonly string[]>> = {
  amd64: ["v4", "v3", "v2", ""],
  arm: ["v8", "v7", "v6", "v5"],
};

/** The variant as comparisons need it: "" for the basic one. arm without a variant means v7, as containerd reads it. */
function levelOf(platform: Platform): string {
  return platform.variant ?? (platform.architecture === "arm" ? "v7" : "");
}

/** The variants of the same architecture whose programs such a processor runs too, best first. */
function lowerVariants(platform: Platform): readonly Platform[] {
  const { variant: _, ...basic } = platform;
  const levels = levelsBelow(platform.architecture, levelOf(platform));
  return levels.map((variant) => (variant === "" ? basic : { ...basic, variant }));
}

function levelsBelow(architecture: string, level: string): readonly string[] {
  if (architecture === "arm64") return arm64LevelsBelow(level);
  const ladder = Object.hasOwn(ladders, architecture) ? (ladders[architecture] ?? []) : [];
  return ladder.includes(level) ? ladder.slice(ladder.indexOf(level) + 1) : [];
}

/** v9.0 grew out of v8.5: v9.2 runs v9.1, v9, v8.7, v8.6 … v8. */
function arm64LevelsBelow(level: string): readonly string[] {
  const [, major, digit = "0"] = /^v([89])(?:\.(\d))?$/.exec(level) ?? [];
  if (major === undefined) return [];
  const minor = Number(digit);
  return major === "8" ? minorsBelow("v8", minor) : [...minorsBelow("v9", minor), ...minorsBelow("v8", minor + 6)];
}

function minorsBelow(major: "v8" | "v9", minor: number): readonly string[] {
  const bare = major === "v8" ? "" : major;
  return Array.from({ length: minor }, (_, index) => minor - 1 - index).map((lower) =>
    lower === 0 ? bare : `${major}.${lower}`,
  );
}
